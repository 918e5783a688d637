"""Writes what transformers computes, for tests/parity/inference (development only).

  generate.py tiny OUT                     tiny random Llama folders with their expectations;
                                           OUT is tests/golden/inference/models
  generate.py folder MODEL TEXTS OUT.json  expectations of any Llama folder
  generate.py shipped LONDI LMS OUT        those of the shipped LMs on BabyAI-Text transcripts, as
                                           the binary LONDI traces them; LMS is configs/lms, OUT
                                           is tests/golden/inference/shipped

TEXTS is a JSON file: [{"prompt": "...", "candidates": ["...", ...], "terminator": "\\n"}, ...].

Expectations are computed one candidate at a time, unpadded, uncached, in fp32: the plainest way
there is. A candidate's score is the sum of log p(token | everything before) over the tokens of
encode(prompt + candidate + terminator) that follow its common prefix with encode(prompt).

Needs: transformers 5.23, tokenizers, safetensors, torch 2.11.
"""

import json
import pathlib
import subprocess
import sys

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, pre_tokenizers, trainers


def common_prefix(a, b):
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


def score(model, ids, start):
    """Sum of log p of ids[start:] given what stands before each, and the hidden states."""
    with torch.no_grad():
        out = model.model(torch.tensor([ids])).last_hidden_state[0]
        logits = model.lm_head(out).float()
    log_p = torch.log_softmax(logits, dim=-1)
    total = sum(log_p[i - 1, ids[i]].double() for i in range(start, len(ids)))
    return float(total), out


def expectation(model, encode, case):
    prompt = encode(case["prompt"])
    scores, shortest = [], len(prompt)
    for candidate in case["candidates"]:
        joint = encode(case["prompt"] + candidate + case["terminator"])
        start = common_prefix(prompt, joint)
        shortest = min(shortest, start)
        scores.append(score(model, joint, start)[0])
    _, hidden = score(model, prompt, len(prompt))
    return {
        **case,
        "prompt_ids": prompt,
        "log_probs": scores,
        "features": [round(x, 6) for x in hidden[shortest - 1].tolist()],
    }


def generate_folder(folder, texts, out):
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    # Not AutoTokenizer, which replaces parts of tokenizer.json by what it thinks a family has.
    tokenizer = tokenizers.Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))
    encode = lambda text: tokenizer.encode(text).ids
    cases = [expectation(model, encode, c) for c in json.loads(pathlib.Path(texts).read_text())]
    pathlib.Path(out).write_text(json.dumps({"cases": cases}, indent=1) + "\n")


ACTIONS = [" turn left", " turn right", " go forward", " pick up", " drop", " toggle"]


def transcript_cases(londi, seed, policy):
    """Prompts of one traced episode (core/prompt.h says how they look), a few of its steps."""
    lines = subprocess.run(
        [londi, "env", "trace", "babyai/MixedTrain", "--num-distractors", "0", "--seed", str(seed),
         "--policy", policy],
        check=True, capture_output=True, text=True).stdout.splitlines()
    steps, cases = [json.loads(line) for line in lines][:40], []
    text = f"Goal: {steps[0]['mission']}\n"
    for i, step in enumerate(steps):
        if i > 0:
            text += f" {step['action']}\n"
        text += "Observation:" + "".join(
            (" " if j == 0 else ", ") + sentence for j, sentence in enumerate(step["text"])
        ) + "\nAction:"
        if i % 9 == seed % 9 and not (step["terminated"] or step["truncated"]):
            cases.append({"prompt": text, "candidates": ACTIONS, "terminator": "\n"})
    return cases


def generate_shipped(londi, lms, out):
    cases = []
    for seed in range(12):
        cases += transcript_cases(londi, seed, "bot" if seed % 3 else f"random:{seed}")
    out.mkdir(parents=True, exist_ok=True)
    for name in ("quick", "deepthink"):
        texts = out / "texts.json"
        texts.write_text(json.dumps(cases))
        generate_folder(lms / name, texts, out / f"{name}.json")
        texts.unlink()


TINY = {
    "mha_untied": dict(num_key_value_heads=4, tie_word_embeddings=False),
    "gqa_tied": dict(num_key_value_heads=2, tie_word_embeddings=True),
    "llama3_rope": dict(
        num_key_value_heads=1,
        tie_word_embeddings=True,
        head_dim=12,
        rope_parameters=dict(
            rope_type="llama3",
            rope_theta=500.0,
            factor=8.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=32,
        ),
    ),
    "linear_rope": dict(
        num_key_value_heads=4,
        tie_word_embeddings=True,
        rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0),
    ),
}


def tiny_tokenizer(folder):
    """A byte-level BPE of 288 tokens, trained on a few lines."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=288,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    lines = ["Goal: go to the red ball", "Observation: You see a wall 3 steps forward",
             "Action: go forward", "Action: turn left", "Action: turn right", "Action: pick up"]
    tokenizer.train_from_iterator(lines * 5, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))


TINY_TEXTS = [
    {
        "prompt": "Goal: go to the red ball\nObservation: You see a wall 3 steps forward\nAction:",
        "candidates": [" turn left", " turn right", " go forward", " go", " pick up", " drop"],
        "terminator": "\n",
    },
    {
        # A merge crosses the end of the prompt: " " + "turn" is one token in the joint text.
        "prompt": "Action: ",
        "candidates": ["turn left", "turn right", "go forward", "3"],
        "terminator": "\n",
    },
    {
        "prompt": "You see",
        "candidates": [" a wall", " a wall", " nothing, \u00e9 \u4f60\u597d", "\n"],
        "terminator": "",
    },
]


def generate_tiny(out):
    for name, changes in TINY.items():
        torch.manual_seed(7)
        folder = out / name
        config = transformers.LlamaConfig(
            **{
                **dict(
                    vocab_size=288,
                    hidden_size=32,
                    intermediate_size=48,
                    num_hidden_layers=2,
                    num_attention_heads=4,
                    max_position_embeddings=160,
                    initializer_range=0.1,
                    bos_token_id=None,
                    eos_token_id=0,
                ),
                **changes,
            }
        )
        model = transformers.LlamaForCausalLM(config).eval()
        for parameter in model.parameters():  # Norms of 1 would hide a forgotten scale.
            if parameter.dim() == 1:
                torch.nn.init.normal_(parameter, 1.0, 0.2)
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        tiny_tokenizer(folder)
        texts = folder / "texts.json"
        texts.write_text(json.dumps(TINY_TEXTS))
        generate_folder(folder, texts, folder / "expected.json")
        texts.unlink()
        ids = list(range(3, 3 + 40))
        expected = json.loads((folder / "expected.json").read_text())
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, ::13]
        expected["logits"] = {
            "token_ids": ids,
            "rows": list(range(0, 40, 13)),
            "values": [[round(v, 6) for v in row] for row in logits.tolist()],
        }
        (folder / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(2)
    if sys.argv[1] == "tiny" and len(sys.argv) == 3:
        generate_tiny(pathlib.Path(sys.argv[2]))
    elif sys.argv[1] == "folder" and len(sys.argv) == 5:
        generate_folder(*sys.argv[2:])
    elif sys.argv[1] == "shipped" and len(sys.argv) == 5:
        generate_shipped(sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]))
    else:
        sys.exit(__doc__)
