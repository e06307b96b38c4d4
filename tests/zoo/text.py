"""Encoders of text."""

from typing import Any

from tests.zoo.architecture import Architecture, of, tokens

SMALL = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 64,
}


def encoder(model: str, length: int = 10, **settings: Any) -> Architecture:
    """An encoder of two layers, four heads and a width of 32."""
    return of(model, tokens(length), **{**SMALL, **settings})


DISENTANGLED: dict[str, Any] = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]}
IN_GROUPS = (
    "q_groups",
    "k_groups",
    "v_groups",
    "post_attention_groups",
    "intermediate_groups",
    "output_groups",
)

TEXT = {
    "albert": encoder("AlbertModel", embedding_size=16),
    "bert": encoder("BertModel"),
    "big_bird": encoder("BigBirdModel", 64, block_size=4, num_random_blocks=1, attention_type="block_sparse"),
    "canine": encoder(
        "CanineModel",
        16,
        local_transformer_stride=4,
        downsampling_rate=2,
        num_hash_functions=4,
        num_hash_buckets=32,
        upsampling_kernel_size=3,
    ),
    "convbert": encoder("ConvBertModel", embedding_size=32, head_ratio=2, conv_kernel_size=3),
    "deberta": encoder("DebertaModel", **DISENTANGLED),
    "deberta_v2": encoder("DebertaV2Model", **DISENTANGLED, position_buckets=4, conv_kernel_size=3),
    "fnet": encoder("FNetModel"),
    "funnel": of(
        "FunnelModel",
        tokens(12),
        vocab_size=99,
        d_model=32,
        n_head=4,
        d_head=8,
        d_inner=37,
        block_sizes=[1, 2],
        num_decoder_layers=1,
    ),
    "longformer": encoder("LongformerModel", attention_window=4),
    "megatron_bert": encoder("MegatronBertModel"),
    "modernbert": encoder("ModernBertModel", local_attention=4, global_attn_every_n_layers=2, pad_token_id=0),
    "nystromformer": encoder(
        "NystromformerModel", 16, num_landmarks=4, segment_means_seq_len=16, conv_kernel_size=3
    ),
    "reformer": of(
        "ReformerModel",
        tokens(16),
        vocab_size=99,
        hidden_size=32,
        num_attention_heads=2,
        attention_head_size=16,
        feed_forward_size=37,
        attn_layers=["local", "lsh"],
        local_attn_chunk_length=4,
        lsh_attn_chunk_length=4,
        num_hashes=2,
        num_buckets=2,
        axial_pos_shape=[4, 4],
        axial_pos_embds_dim=[16, 16],
        hash_seed=0,
        is_decoder=True,
    ),
    "squeezebert": encoder(
        "SqueezeBertModel", embedding_size=32, intermediate_size=64, **dict.fromkeys(IN_GROUPS, 2)
    ),
    "xlnet": of("XLNetModel", tokens(), vocab_size=99, d_model=32, n_layer=2, n_head=4, d_inner=37),
}
