"""Encoders with decoders, of text and of speech."""

from typing import Any

import torch

from tests.zoo.architecture import Inputs, ids, of

LAYERS = {
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 37,
    "decoder_ffn_dim": 37,
}
SMALL = {**LAYERS, "vocab_size": 99, "d_model": 32, "max_position_embeddings": 64, "use_cache": False}


def translated(length: int = 8) -> Any:
    """Token ids to read, and five that are written."""
    return lambda: {"input_ids": ids(2, length), "decoder_input_ids": ids(2, 5)}


def frames() -> Inputs:
    """Sound as Whisper reads it, features before steps, and five tokens that are written."""
    return {"input_features": torch.rand(2, 8, 32), "decoder_input_ids": ids(2, 5)}


def steps() -> Inputs:
    """Sound as steps of features, and five tokens that are written."""
    return {"input_features": torch.rand(2, 24, 8), "decoder_input_ids": ids(2, 5)}


ENCODER_DECODERS = {
    "bart": of("BartForConditionalGeneration", translated(), **{**SMALL, "use_cache": True}),
    "led": of("LEDForConditionalGeneration", translated(), **SMALL, attention_window=4),
    "m2m_100": of("M2M100ForConditionalGeneration", translated(), **SMALL),
    "pegasus_x": of(
        "PegasusXForConditionalGeneration", translated(), **SMALL, block_size=4, num_global_tokens=4
    ),
    "speech_to_text": of(
        "Speech2TextForConditionalGeneration",
        steps,
        **LAYERS,
        vocab_size=99,
        d_model=32,
        input_feat_per_channel=8,
        conv_channels=16,
        max_source_positions=64,
        max_target_positions=32,
        use_cache=False,
    ),
    "t5": of(
        "T5ForConditionalGeneration",
        translated(),
        vocab_size=99,
        d_model=32,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        use_cache=False,
    ),
    "whisper": of(
        "WhisperForConditionalGeneration",
        frames,
        **SMALL,
        num_mel_bins=8,
        max_source_positions=16,
        max_target_positions=32,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
    ),
}
