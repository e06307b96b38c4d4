"""Decoders: causal language models, most of them without a cache."""

from importlib import import_module
from typing import Any

import torch

from tests.zoo.architecture import Architecture, Inputs, ids, of, tokens

SMALL = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "head_dim": 8,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GPT = {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
STATES = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2}
TO_THE_LAST_TOKEN = tokens(10, use_cache=False)


def decoder(model: str, **settings: Any) -> Architecture:
    """A decoder of two layers, four heads that share two keys, and a width of 32."""
    return of(model, TO_THE_LAST_TOKEN, **{**SMALL, **settings})


def one_more_token() -> Inputs:
    """A token after ten, whose keys and values are in the cache."""
    cache = import_module("transformers").DynamicCache()
    for layer in range(2):
        cache.update(torch.rand(2, 2, 10, 8), torch.rand(2, 2, 10, 8), layer)
    return {"input_ids": ids(2, 1), "cache": cache, "use_cache": True}


DECODERS = {
    "bloom": of(
        "BloomForCausalLM", TO_THE_LAST_TOKEN, vocab_size=99, hidden_size=32, num_hidden_layers=2, n_head=4
    ),
    "deepseek_v3": decoder(
        "DeepseekV3ForCausalLM",
        num_key_value_heads=4,
        first_k_dense_replace=1,
        kv_lora_rank=8,
        q_lora_rank=8,
        n_routed_experts=4,
        n_shared_experts=1,
        n_group=2,
        topk_group=1,
        qk_nope_head_dim=8,
        qk_rope_head_dim=8,
        v_head_dim=8,
        **EXPERTS,
    ),
    "falcon": of("FalconForCausalLM", TO_THE_LAST_TOKEN, **STATES, num_attention_heads=4, ffn_hidden_size=64),
    "gemma3": decoder(
        "Gemma3ForCausalLM", sliding_window=4, layer_types=["sliding_attention", "full_attention"]
    ),
    "gpt2": of("GPT2LMHeadModel", TO_THE_LAST_TOKEN, **GPT),
    "gptj": of("GPTJForCausalLM", TO_THE_LAST_TOKEN, **GPT, rotary_dim=4),
    "gpt_neo": of(
        "GPTNeoForCausalLM",
        TO_THE_LAST_TOKEN,
        vocab_size=99,
        hidden_size=32,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        window_size=4,
        max_position_embeddings=64,
    ),
    "llama": decoder("LlamaForCausalLM"),
    "mamba": of("MambaForCausalLM", TO_THE_LAST_TOKEN, **STATES, state_size=8, time_step_rank=4),
    "mamba2": of(
        "Mamba2ForCausalLM",
        TO_THE_LAST_TOKEN,
        **STATES,
        state_size=16,
        num_heads=8,
        head_dim=8,
        n_groups=1,
        chunk_size=8,
    ),
    "mistral": of("MistralForCausalLM", one_more_token, **SMALL),
    "mixtral": decoder("MixtralForCausalLM", **EXPERTS),
    "opt": of(
        "OPTForCausalLM",
        TO_THE_LAST_TOKEN,
        **STATES,
        num_attention_heads=4,
        ffn_dim=37,
        word_embed_proj_dim=32,
        max_position_embeddings=64,
    ),
    "phi3": decoder("Phi3ForCausalLM"),
    "qwen3": of("Qwen3ForCausalLM", tokens(10, use_cache=True), **SMALL),
    "qwen3_next": decoder(
        "Qwen3NextForCausalLM",
        linear_num_value_heads=4,
        linear_num_key_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        shared_expert_intermediate_size=16,
        layer_types=["linear_attention", "full_attention"],
        **EXPERTS,
    ),
    "rwkv": of("RwkvForCausalLM", TO_THE_LAST_TOKEN, **STATES, attention_hidden_size=32, context_length=64),
}
