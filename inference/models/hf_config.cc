#include "inference/models/hf_config.h"

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "core/error.h"

namespace londi::inference {
namespace {

using Json = nlohmann::json;

// Keys that say nothing about the maths of scoring.
const std::set<std::string, std::less<>>& KeysWithoutMaths() {
  static const std::set<std::string, std::less<>> keys = {"_name_or_path",
                                                          "architectures",
                                                          "attention_dropout",
                                                          "auto_map",
                                                          "bos_token_id",
                                                          "chunk_size_feed_forward",
                                                          "dtype",
                                                          "eos_token_id",
                                                          "finetuning_task",
                                                          "id2label",
                                                          "initializer_range",
                                                          "is_decoder",
                                                          "is_encoder_decoder",
                                                          "label2id",
                                                          "output_attentions",
                                                          "output_hidden_states",
                                                          "pad_token_id",
                                                          "problem_type",
                                                          "return_dict",
                                                          "task_specific_params",
                                                          "tokenizer_class",
                                                          "torch_dtype",
                                                          "transformers_version",
                                                          "use_cache"};
  return keys;
}

// Reads one JSON object, remembers which keys were understood, and names the file in errors.
class ConfigReader {
 public:
  ConfigReader(const Json& object, std::string source)
      : object_(object), source_(std::move(source)) {}

  [[noreturn]] void Fail(const std::string& what, const std::string& why) const {
    throw core::ModelError(
        {.what = source_ + ": " + what,
         .why = why,
         .fix = "use a Llama-architecture folder written by save_pretrained or `londi finetune`"});
  }

  // nullptr: absent or null.
  const Json* Get(const std::string& key) {
    understood_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  std::int64_t Integer(const std::string& key, std::optional<std::int64_t> absent = {}) {
    const Json* value = Get(key);
    if (value == nullptr && absent) return *absent;
    if (value == nullptr) Fail("'" + key + "' is missing", "the model's size is unknown");
    if (!value->is_number_integer()) Fail("'" + key + "' is no integer", "it counts something");
    return value->get<std::int64_t>();
  }

  double Number(const std::string& key, double absent) {
    const Json* value = Get(key);
    if (value == nullptr) return absent;
    if (!value->is_number()) Fail("'" + key + "' is no number", "it is used in arithmetic");
    return value->get<double>();
  }

  bool Flag(const std::string& key, bool absent) {
    const Json* value = Get(key);
    if (value == nullptr) return absent;
    if (!value->is_boolean()) Fail("'" + key + "' is neither true nor false", "it is a choice");
    return value->get<bool>();
  }

  std::string Text(const std::string& key, const std::string& absent) {
    const Json* value = Get(key);
    if (value == nullptr) return absent;
    if (!value->is_string()) Fail("'" + key + "' is no text", "it names something");
    return value->get<std::string>();
  }

  // The first of a list, a single id, or -1.
  std::int64_t TokenId(const std::string& key) {
    const Json* value = Get(key);
    if (value != nullptr && value->is_array() && !value->empty()) value = &value->front();
    return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : -1;
  }

  // A key that may be there, but only with the value that our maths has.
  void Expect(const std::string& key, const Json& only, const std::string& why) {
    const Json* value = Get(key);
    if (value != nullptr && *value != only) {
      Fail("'" + key + "' is " + value->dump() + ", supported is " + only.dump(), why);
    }
  }

  void RejectUnknown(const std::set<std::string, std::less<>>& harmless) const {
    for (const auto& [key, value] : object_.items()) {
      if (understood_.contains(key) || harmless.contains(key) || value.is_null()) continue;
      Fail("unknown key '" + key + "'", "it may change the model's maths");
    }
  }

 private:
  const Json& object_;
  const std::string source_;
  std::set<std::string, std::less<>> understood_;
};

RopeScaling ReadScaling(ConfigReader& rope) {
  RopeScaling scaling;
  const std::string type = rope.Text("rope_type", rope.Text("type", "default"));
  if (type == "default") return scaling;
  if (type == "linear") {
    scaling.kind = RopeScaling::Kind::kLinear;
    scaling.factor = rope.Number("factor", 1);
    return scaling;
  }
  if (type != "llama3") {
    rope.Fail("rope_type '" + type + "'", "supported are default, linear and llama3");
  }
  scaling.kind = RopeScaling::Kind::kLlama3;
  scaling.factor = rope.Number("factor", 8);
  scaling.low_freq_factor = rope.Number("low_freq_factor", 1);
  scaling.high_freq_factor = rope.Number("high_freq_factor", 4);
  scaling.original_max_positions = rope.Integer("original_max_position_embeddings", 8192);
  if (scaling.high_freq_factor <= scaling.low_freq_factor) {
    rope.Fail("high_freq_factor is not above low_freq_factor", "frequencies between are blended");
  }
  return scaling;
}

// transformers 5: rope_parameters{rope_theta, rope_type, ...}; 4: rope_theta and rope_scaling.
void ReadRope(ConfigReader& config, const std::string& source, ModelSpec& spec) {
  spec.rope_theta = config.Number("rope_theta", 10000);
  const Json* scaling = config.Get("rope_scaling");
  const Json* parameters = config.Get("rope_parameters");
  if (parameters == nullptr) parameters = scaling;
  if (parameters == nullptr) return;
  if (!parameters->is_object()) config.Fail("rope parameters are no object", "they have names");
  ConfigReader rope(*parameters, source + ": rope parameters");
  spec.rope_theta = rope.Number("rope_theta", spec.rope_theta);
  spec.rope_scaling = ReadScaling(rope);
  rope.Expect("partial_rotary_factor", 1.0, "all dimensions of a head are turned");
  rope.RejectUnknown({});
}

ModelSpec ReadLlama(ConfigReader& config, const std::string& source) {
  ModelSpec spec;
  spec.family = "llama";
  spec.vocab_size = config.Integer("vocab_size");
  spec.hidden_size = config.Integer("hidden_size");
  spec.intermediate_size = config.Integer("intermediate_size");
  spec.num_layers = config.Integer("num_hidden_layers");
  spec.num_heads = config.Integer("num_attention_heads");
  spec.num_kv_heads = config.Integer("num_key_value_heads", spec.num_heads);
  if (config.Get("head_dim") == nullptr && spec.num_heads > 0 &&
      spec.hidden_size % spec.num_heads != 0) {
    config.Fail("hidden_size is no multiple of num_attention_heads", "'head_dim' is missing");
  }
  spec.head_dim =
      config.Integer("head_dim", spec.num_heads > 0 ? spec.hidden_size / spec.num_heads : 0);
  spec.max_positions = config.Integer("max_position_embeddings", 2048);
  spec.rms_norm_eps = config.Number("rms_norm_eps", 1e-6);
  spec.tie_word_embeddings = config.Flag("tie_word_embeddings", false);
  spec.bos_token_id = config.TokenId("bos_token_id");
  spec.eos_token_id = config.TokenId("eos_token_id");
  ReadRope(config, source, spec);
  config.Expect("hidden_act", "silu", "the MLP's activation is SiLU");
  config.Expect("attention_bias", false, "the attention's matrices have no biases");
  config.Expect("mlp_bias", false, "the MLP's matrices have no biases");
  config.Expect("pretraining_tp", 1, "matrices are not sliced");
  config.Expect("rope_interleaved", false, "rotary positions are of the rotate-half layout");
  config.Expect("is_llama_config", true, "the family is Llama");
  return spec;
}

}  // namespace

ModelSpec ParseHfConfig(std::string_view json, const std::string& source) {
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw core::ModelError({.what = source + " cannot be read",
                            .why = "it is no JSON object",
                            .fix = "obtain the model's folder again: the file is damaged"});
  }
  ConfigReader config(object, source);
  const std::string family = config.Text("model_type", "");
  if (family != "llama") {
    config.Fail("'model_type' is '" + family + "'", "supported families: llama");
  }
  ModelSpec spec = ReadLlama(config, source);
  config.RejectUnknown(KeysWithoutMaths());
  spec.Validate();
  return spec;
}

ModelSpec ReadHfConfig(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw core::ModelError({.what = "no model in " + folder.string(),
                            .why = path.string() + " cannot be opened",
                            .fix = "name a Hugging Face folder: config.json, tokenizer.json, "
                                   "model.safetensors"});
  }
  std::ostringstream text;
  text << file.rdbuf();
  return ParseHfConfig(text.str(), path.string());
}

std::string ToHfConfig(const ModelSpec& spec) {
  Json rope = {{"rope_theta", spec.rope_theta}, {"rope_type", "default"}};
  if (spec.rope_scaling.kind == RopeScaling::Kind::kLinear) {
    rope["rope_type"] = "linear";
    rope["factor"] = spec.rope_scaling.factor;
  } else if (spec.rope_scaling.kind == RopeScaling::Kind::kLlama3) {
    rope["rope_type"] = "llama3";
    rope["factor"] = spec.rope_scaling.factor;
    rope["low_freq_factor"] = spec.rope_scaling.low_freq_factor;
    rope["high_freq_factor"] = spec.rope_scaling.high_freq_factor;
    rope["original_max_position_embeddings"] = spec.rope_scaling.original_max_positions;
  }
  Json config = {{"architectures", {"LlamaForCausalLM"}},
                 {"attention_bias", false},
                 {"dtype", "float32"},
                 {"head_dim", spec.head_dim},
                 {"hidden_act", "silu"},
                 {"hidden_size", spec.hidden_size},
                 {"intermediate_size", spec.intermediate_size},
                 {"max_position_embeddings", spec.max_positions},
                 {"mlp_bias", false},
                 {"model_type", spec.family},
                 {"num_attention_heads", spec.num_heads},
                 {"num_hidden_layers", spec.num_layers},
                 {"num_key_value_heads", spec.num_kv_heads},
                 {"rms_norm_eps", spec.rms_norm_eps},
                 {"rope_parameters", rope},
                 {"rope_theta", spec.rope_theta},
                 {"tie_word_embeddings", spec.tie_word_embeddings},
                 {"torch_dtype", "float32"},
                 {"vocab_size", spec.vocab_size}};
  // transformers 4 reads rope_theta and rope_scaling, 5 rope_parameters.
  if (spec.rope_scaling.kind != RopeScaling::Kind::kNone) {
    config["rope_scaling"] = rope;
    config["rope_scaling"].erase("rope_theta");
  }
  config["bos_token_id"] = spec.bos_token_id >= 0 ? Json(spec.bos_token_id) : Json();
  config["eos_token_id"] = spec.eos_token_id >= 0 ? Json(spec.eos_token_id) : Json();
  return config.dump(2) + "\n";
}

}  // namespace londi::inference
