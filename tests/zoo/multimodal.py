"""Images with text, and an autoencoder of images."""

import torch

from tests.zoo.architecture import Inputs, ids, image, of

HEADS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37}
TEXT = {
    **HEADS,
    "vocab_size": 99,
    "max_position_embeddings": 32,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
IMAGE = {**HEADS, "image_size": 32, "patch_size": 8}
TWO = {"text_config": TEXT, "vision_config": IMAGE}
A_PATCH = 95
"""The token in whose place the features of a patch are put."""


def captioned() -> Inputs:
    """Two images, and two sequences of tokens."""
    return {"input_ids": ids(2, 8), **image()()}


def patches_of_two_sizes() -> Inputs:
    """Two images as patches, one of 4x4 and one of 2x4."""
    mask = torch.ones(2, 16, dtype=torch.long)
    mask[1, 8:] = 0
    return {
        "input_ids": ids(2, 8),
        "pixel_values": torch.rand(2, 16, 192),
        "pixel_attention_mask": mask,
        "spatial_shapes": torch.tensor([[4, 4], [2, 4]]),
    }


def image_among_words() -> Inputs:
    """An image of 4x4 patches amid six tokens."""
    words = ids(1, 6)
    whole = torch.cat([words[:, :2], torch.full((1, 16), A_PATCH), words[:, 2:]], 1)
    return {"input_ids": whole, "pixel_values": torch.rand(1, 3, 32, 32), "use_cache": False}


MULTIMODAL = {
    "align": of(
        "AlignModel",
        captioned,
        text_config=TEXT,
        vision_config={
            "image_size": 32,
            "width_coefficient": 0.1,
            "depth_coefficient": 0.1,
            "hidden_dim": 32,
        },
        projection_dim=32,
    ),
    "blip": of(
        "BlipForConditionalGeneration", captioned, **TWO, projection_dim=16, image_text_hidden_size=16
    ),
    "bridgetower": of(
        "BridgeTowerModel",
        captioned,
        **HEADS,
        text_config=TEXT,
        vision_config={"hidden_size": 64, "num_hidden_layers": 2, "image_size": 32, "patch_size": 8},
    ),
    "clip": of("CLIPModel", captioned, **TWO, projection_dim=16),
    "janus_vqvae": of(
        "JanusVQVAE",
        image(),
        embed_dim=8,
        num_embeddings=16,
        latent_channels=8,
        base_channels=32,
        channel_multiplier=[1, 2],
        num_res_blocks=1,
        num_patches=16,
        projection_dim=16,
        image_token_embed_dim=16,
        hidden_size=16,
    ),
    "llava": of(
        "LlavaForConditionalGeneration",
        image_among_words,
        vision_config={**IMAGE, "model_type": "clip_vision_model"},
        text_config={**TEXT, "model_type": "llama", "num_key_value_heads": 2},
        image_token_index=A_PATCH,
        vision_feature_layer=-1,
    ),
    "siglip2": of(
        "Siglip2Model",
        patches_of_two_sizes,
        text_config=TEXT,
        vision_config={**HEADS, "patch_size": 8, "num_patches": 16},
    ),
    "vilt": of("ViltModel", captioned, **TEXT, image_size=32, patch_size=8),
}
