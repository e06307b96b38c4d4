"""Sound: encoders of speech, and autoencoders."""

import torch

from tests.zoo.architecture import Inputs, of, wave

HEADS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37}
WAV2VEC2 = {
    **HEADS,
    "conv_dim": [16, 16, 16],
    "conv_stride": [5, 2, 2],
    "conv_kernel": [10, 3, 3],
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
CODEC = {
    "sampling_rate": 800,
    "num_filters": 4,
    "upsampling_ratios": [4, 2],
    "hidden_size": 16,
    "codebook_size": 16,
}


def spectrogram() -> Inputs:
    """Two pieces of sound, 24 steps of 16 frequencies."""
    return {"input_values": torch.rand(2, 24, 16)}


AUDIO = {
    "audio_spectrogram_transformer": of(
        "ASTForAudioClassification",
        spectrogram,
        **HEADS,
        patch_size=4,
        time_stride=4,
        frequency_stride=4,
        max_length=24,
        num_mel_bins=16,
    ),
    "dac": of(
        "DacModel",
        wave(1, 400),
        encoder_hidden_size=8,
        downsampling_ratios=[2, 4],
        decoder_hidden_size=16,
        n_codebooks=2,
        codebook_size=16,
        codebook_dim=4,
    ),
    "encodec": of(
        "EncodecModel",
        wave(1, 400),
        **CODEC,
        codebook_dim=16,
        num_lstm_layers=1,
        target_bandwidths=[1.0],
        norm_type="weight_norm",
    ),
    "hubert": of("HubertForCTC", wave(None, 1000), **WAV2VEC2),
    "mimi": of(
        "MimiModel",
        wave(1, 400),
        **CODEC,
        codebook_dim=8,
        vector_quantization_hidden_dimension=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        intermediate_size=24,
        num_quantizers=4,
        num_semantic_quantizers=1,
        frame_rate=50,
        sliding_window=8,
        use_cache=False,
        upsample_groups=16,
        max_position_embeddings=64,
    ),
    "wav2vec2_conformer": of(
        "Wav2Vec2ConformerModel", wave(None, 1000), **WAV2VEC2, conv_depthwise_kernel_size=5
    ),
}
