"""Classifiers of images, and those that say something of every pixel."""

from tests.zoo.architecture import image, of

HEADS = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}
VIT = {**HEADS, "intermediate_size": 37}
SWIN = {
    "image_size": 32,
    "patch_size": 2,
    "embed_dim": 8,
    "depths": [2, 1],
    "num_heads": [2, 2],
    "window_size": 4,
    "mlp_ratio": 2.0,
}
STAGES = {"hidden_sizes": [8, 16], "depths": [1, 2]}
PYRAMID = {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2]}

VISION = {
    "beit": of(
        "BeitForImageClassification", image(), **VIT, use_relative_position_bias=True, out_indices=[1, 2]
    ),
    "convnextv2": of("ConvNextV2ForImageClassification", image(), **STAGES, num_stages=2),
    "cvt": of(
        "CvtForImageClassification", image(64), embed_dim=[8, 16, 16], num_heads=[1, 2, 2], depth=[1, 2, 3]
    ),
    "dinov2": of("Dinov2ForImageClassification", image(), **HEADS, mlp_ratio=2),
    "dpt": of(
        "DPTForDepthEstimation",
        image(),
        **{**VIT, "num_hidden_layers": 4},
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        reassemble_factors=[4, 2, 1, 0.5],
    ),
    "efficientnet": of(
        "EfficientNetForImageClassification",
        image(),
        image_size=32,
        width_coefficient=0.1,
        depth_coefficient=0.1,
        hidden_dim=128,
    ),
    "focalnet": of(
        "FocalNetForImageClassification",
        image(),
        **STAGES,
        image_size=32,
        patch_size=2,
        embed_dim=8,
        focal_levels=[2, 2],
        focal_windows=[3, 3],
    ),
    "levit": of(
        "LevitForImageClassification",
        image(64),
        image_size=64,
        hidden_sizes=[16, 32, 32],
        num_attention_heads=[2, 2, 2],
        depths=[1, 1, 1],
        key_dim=[8, 8, 8],
        mlp_ratio=[2, 2, 2],
        attention_ratio=[2, 2, 2],
    ),
    "mobilevit": of(
        "MobileViTForImageClassification",
        image(64),
        image_size=64,
        hidden_sizes=[16, 24, 32],
        neck_hidden_sizes=[8, 8, 8, 16, 16, 16, 32],
        num_attention_heads=2,
        mlp_ratio=2.0,
    ),
    "poolformer": of(
        "PoolFormerForImageClassification",
        image(),
        hidden_sizes=[8, 16],
        depths=[1, 1],
        num_encoder_blocks=2,
        patch_sizes=[7, 3],
        strides=[4, 2],
        padding=[2, 1],
    ),
    "pvt_v2": of(
        "PvtV2ForImageClassification",
        image(),
        image_size=32,
        hidden_sizes=[8, 16],
        depths=[1, 1],
        num_encoder_blocks=2,
        num_attention_heads=[1, 2],
        sr_ratios=[2, 1],
        patch_sizes=[7, 3],
        strides=[4, 2],
        mlp_ratios=[2, 2],
    ),
    "regnet": of("RegNetForImageClassification", image(), **STAGES, embedding_size=8, groups_width=4),
    "segformer": of("SegformerForSemanticSegmentation", image(64), **PYRAMID, decoder_hidden_size=16),
    "swinv2": of("Swinv2ForImageClassification", image(), **SWIN),
    "vit": of("ViTForImageClassification", image(), **VIT),
}
