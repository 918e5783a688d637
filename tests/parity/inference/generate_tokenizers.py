"""Writes small byte-level BPE tokenizers and the ids that the `tokenizers` package gives for many
texts, for tests/parity/inference (development only).

  generate_tokenizers.py OUT       OUT is tests/golden/inference/tokenizers

OUT/texts.json holds the texts, OUT/NAME/tokenizer.json a tokenizer, OUT/NAME/expected.json the ids of
every text and, for some, one digest per 4096 code points of every assigned character between
letters. Needs: tokenizers 0.23.
"""

import json
import pathlib
import random
import sys
import unicodedata

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
LINES = r"[^\n,:]*[\n,:]|[^\n,:]+"

CORPUS = [
    "Goal: go to the red ball\n",
    "Observation: You see a wall 3 steps forward, You see a red ball 2 steps left\n",
    "Action: go forward\n",
    "Action: turn left\n",
    "Action: pick up\n",
    "The quick brown fox doesn't jump over 12345 lazy dogs; it'll say: \"I'd rather not!\"\n",
    "  if (x == 10) {\n    return y_1 + 3.14;\n  }\n\n",
    "na\u00efve caf\u00e9, \u00fcber stra\u00dfe, \u4f60\u597d\u4e16\u754c, \u041f\u0440\u0438\u0432\u0435\u0442\n",
]


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def byte_level(prefix=False, use_regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=use_regex)


def sequence(*steps):
    return pre_tokenizers.Sequence(list(steps))


def with_bos(tokenizer):
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
            ),
        ]
    )


def with_added(tokenizer):
    tokenizer.add_tokens(
        [
            AddedToken("ball", single_word=True, normalized=True),
            AddedToken("<l>", lstrip=True, normalized=False),
            AddedToken("<r>", rstrip=True, normalized=False),
            AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
        ]
    )


def with_overlapping(tokenizer):
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in ("<|im", "<|im|>", "|>x", "99")])


# name: pre-tokenizer, normalizer, changes
TOKENIZERS = {
    "byte_level": (byte_level(use_regex=True), None, with_overlapping),
    "byte_level_prefix": (byte_level(prefix=True, use_regex=True), None, None),
    "llama3": (sequence(split(LLAMA3), byte_level()), None, with_bos),
    "qwen2": (sequence(split(QWEN2), byte_level()), normalizers.NFC(), with_overlapping),
    "digits": (
        sequence(pre_tokenizers.Digits(individual_digits=True), byte_level(use_regex=True)),
        None,
        None,
    ),
    "digit_runs": (
        sequence(pre_tokenizers.Digits(individual_digits=False), byte_level()),
        None,
        with_added,
    ),
    "lines": (sequence(split(LINES), byte_level()), None, None),
    "behaviours": (
        sequence(
            split(r"\d+", "merged_with_previous"),
            split(r" ", "merged_with_next"),
            pre_tokenizers.Split(",", "removed"),
            split(r"[a-m]+", "contiguous", invert=True),
            split(r"x*", "isolated"),
            byte_level(prefix=True),
        ),
        None,
        None,
    ),
    "removed_inverted": (
        sequence(split(r"[\p{L}\p{N}]+|\s(?=\S)", "removed", invert=True), byte_level()),
        None,
        None,
    ),
}
DIGESTS = ("byte_level", "llama3", "qwen2", "digits")


def assigned(code):
    return unicodedata.category(chr(code)) not in ("Cn", "Cs") and code != 0x180E


def make_texts():
    texts = list(CORPUS) + [
        "",
        " ",
        "\n\n \n",
        "a",
        "Action:",
        "Action: ",
        "<|endoftext|>",
        "x<|endoftext|>y <|im|> <|im<|im|>|>x 99999",
        "a ball, football ball_ <ball>ball",
        "a  <l> b <r>  c  <both>  d<l><r> <both>",
        "can't CAN'T I'll we've you'd 'tis ''s",
        "tabs\tand\u00a0nbsp\u2003em\u3000wide \u2028line",
        "e\u0301 \u1e69 s\u0323\u0307 \uac00 \u1100\u1161 \u212b \ufb01 \u0344",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f",
        "\u0661\u0662\u0663 \u2167 \u00bd \u00b2 1\u00bd2 \u0967\u0968",
        "\r\n\r\n  \r x\r",
        "12 123 1234 12345, 1,000,000",
        "a" * 300 + " " * 40 + "1" * 30,
    ]
    rng = random.Random(5)
    alphabet = (
        list(" " * 6) + list("\n\t\r,:;.'\"!?-_<>|") + list("aabcdefghimnorstuvxyzABT")
        + list("0123456789") + ["'s", "'LL", "ball", "Action:", "\u00e9", "e\u0301", "\u0308", "\u4f60",
           "\u0416", "\u05d0", "\u0639", "\u0e01\u0e33", "\u1100\u1161", "\u200d", "\ufe0f", "\U0001f600",
           "\u00a0", "\u3000", "\u00bd", "\u0663", "<|im|>", "<|endoftext|>"]
    )
    for _ in range(150):
        texts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 40))))
    for _ in range(30):
        codes = (rng.choice((0x250, 0x3000, 0x11000, 0x20000)) for _ in range(12))
        picked = (rng.randrange(0x20, top) for top in codes)
        texts.append("".join(chr(c) for c in picked if assigned(c)))
    return texts


def digest(ids, value):
    for i in ids:
        value = ((value ^ (i + 1)) * 0x100000001B3) % 2**64
    return value


def code_point_digests(tokenizer):
    digests = []
    for block in range(0, 0x110000, 4096):
        texts = [f"a{chr(c)}b {chr(c)}1" for c in range(block, block + 4096) if assigned(c)]
        value = 0xCBF29CE484222325
        for encoding in tokenizer.encode_batch(texts):
            value = digest(encoding.ids, value)
        if texts:
            digests.append([block, f"{value:016x}"])
    return digests


def make_tokenizer(name, pre_tokenizer, normalizer, change):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name in ("llama3", "lines")))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    # One tokenizer lacks some bytes: they are left out.
    alphabet = [] if name == "digit_runs" else pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        initial_alphabet=alphabet,
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    if change:
        change(tokenizer)
    return tokenizer


def main(out):
    texts = make_texts()
    out.mkdir(parents=True, exist_ok=True)
    (out / "texts.json").write_text(json.dumps(texts) + "\n")
    # Blocks of characters are compared as far as this Unicode version knows them.
    codes = "".join("1" if assigned(c) else "0" for c in range(0x110000))
    runs, begin = [], 0
    while (begin := codes.find("1", begin)) >= 0:
        end = codes.find("0", begin)
        end = len(codes) if end < 0 else end
        runs.append([begin, end])
        begin = end
    (out / "assigned.json").write_text(json.dumps(runs) + "\n")
    for name, (pre_tokenizer, normalizer, change) in TOKENIZERS.items():
        tokenizer = make_tokenizer(name, pre_tokenizer, normalizer, change)
        folder = out / name
        folder.mkdir(exist_ok=True)
        content = json.loads(tokenizer.to_str())
        if name == "byte_level":  # The older spelling.
            content["model"]["merges"] = [" ".join(m) for m in content["model"]["merges"]]
        (folder / "tokenizer.json").write_text(json.dumps(content) + "\n")
        expected = {"ids": [tokenizer.encode(t).ids for t in texts]}
        if name in DIGESTS:
            expected["digests"] = code_point_digests(tokenizer)
        (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
