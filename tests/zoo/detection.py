"""Detectors of objects, and what segments images."""

import torch

from tests.zoo.architecture import Inputs, ids, image, of

RESNET = {
    "embedding_size": 8,
    "hidden_sizes": [8, 8, 16, 16],
    "depths": [1, 1, 1, 1],
    "layer_type": "basic",
    "out_features": ["stage2", "stage3", "stage4"],
}
HGNET = {
    "model_type": "hgnet_v2",
    "embedding_size": 8,
    "hidden_sizes": [8, 16, 16, 16],
    "depths": [1, 1, 1, 1],
    "stem_channels": [3, 8, 8],
    "stage_in_channels": [8, 8, 16, 16],
    "stage_mid_channels": [8, 8, 8, 8],
    "stage_out_channels": [8, 16, 16, 16],
    "stage_num_blocks": [1, 1, 1, 1],
    "stage_downsample": [False, True, True, True],
    "stage_light_block": [False, False, True, True],
    "stage_kernel_size": [3, 3, 5, 5],
    "stage_numb_of_layers": [1, 1, 1, 1],
    "out_features": ["stage2", "stage3", "stage4"],
}
SWIN = {
    "model_type": "swin",
    "image_size": 64,
    "patch_size": 2,
    "embed_dim": 8,
    "depths": [1, 1, 1, 1],
    "num_heads": [2, 2, 2, 2],
    "window_size": 4,
    "mlp_ratio": 2.0,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}
DETR = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "num_queries": 5,
}
ONE_LEVEL = {**RESNET, "model_type": "resnet", "out_features": ["stage4"]}
RT_DETR = {
    "d_model": 32,
    "encoder_hidden_dim": 32,
    "encoder_in_channels": [8, 16, 16],
    "encoder_ffn_dim": 24,
    "encoder_attention_heads": 2,
    "decoder_in_channels": [32, 32, 32],
    "decoder_ffn_dim": 24,
    "decoder_attention_heads": 2,
    "decoder_layers": 2,
    "num_queries": 5,
    "num_denoising": 0,
    "anchor_image_size": None,
}
MASKS = {
    "num_queries": 5,
    "hidden_dim": 32,
    "mask_dim": 32,
    "encoder_feedforward_dim": 24,
    "dim_feedforward": 24,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "num_attention_heads": 2,
    "backbone_config": SWIN,
}


def image_and_task() -> Inputs:
    """An image, and the words that say what to find in it."""
    return {"pixel_values": torch.rand(1, 3, 64, 64), "task_inputs": ids(1, 7)}


DETECTION = {
    "conditional_detr": of("ConditionalDetrForObjectDetection", image(64), **DETR, backbone_config=ONE_LEVEL),
    "d_fine": of(
        "DFineForObjectDetection",
        image(64),
        **{**RT_DETR, "encoder_in_channels": [16, 16, 16]},
        backbone_config=HGNET,
    ),
    "deformable_detr": of(
        "DeformableDetrForObjectDetection",
        image(64),
        **DETR,
        backbone_config={**RESNET, "model_type": "resnet"},
        num_feature_levels=4,
    ),
    "detr": of("DetrForObjectDetection", image(64), **DETR, backbone_config=ONE_LEVEL),
    "eomt": of(
        "EomtForUniversalSegmentation",
        image(),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        mlp_ratio=2,
        image_size=32,
        patch_size=8,
        num_upscale_blocks=1,
        num_blocks=1,
        num_queries=5,
    ),
    "mask2former": of(
        "Mask2FormerForUniversalSegmentation", image(64), **MASKS, feature_size=32, mask_feature_size=32
    ),
    "maskformer": of(
        "MaskFormerForInstanceSegmentation",
        image(64),
        backbone_config=SWIN,
        decoder_config={**DETR, "model_type": "detr"},
        fpn_feature_size=32,
        mask_feature_size=32,
    ),
    "oneformer": of(
        "OneFormerForUniversalSegmentation",
        image_and_task,
        **MASKS,
        conv_dim=32,
        query_dec_layers=1,
        text_encoder_width=32,
        text_encoder_context_length=7,
        text_encoder_num_layers=1,
        text_encoder_vocab_size=99,
        task_seq_len=7,
        is_training=False,
    ),
    "rt_detr_v2": of(
        "RTDetrV2ForObjectDetection",
        image(64),
        **RT_DETR,
        backbone_config={**RESNET, "model_type": "rt_detr_resnet"},
    ),
    "yolos": of(
        "YolosForObjectDetection",
        image(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=37,
        image_size=[32, 32],
        patch_size=8,
        num_detection_tokens=5,
    ),
}
