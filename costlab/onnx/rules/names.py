"""Operators without multiply-adds, told apart: what computes, what only moves, and what is not counted."""

from costlab.onnx.rules.registry import BLOCKED, MICROSOFT, ML, ONNX, TRAINING, Operator

_ELEMENTWISE = """
Abs Acos Acosh Add And:logical_and Asin Asinh Atan Atanh BitShift:bitwise_shift BitwiseAnd:bitwise_and
BitwiseNot:bitwise_not BitwiseOr:bitwise_or BitwiseXor:bitwise_xor Ceil Celu Cos Cosh
DequantizeLinear:dequantize Div Elu Equal:eq Erf Exp Floor Gelu Greater:gt GreaterOrEqual:ge
HardSigmoid HardSwish Hardmax IsInf IsNaN LeakyRelu:leaky_relu Less:lt LessOrEqual:le Log
LogSoftmax:log_softmax LpNormalization:normalize Max:maximum MeanVarianceNormalization:mean_variance_norm
Min:minimum Mish Mod:remainder Mul Neg Not:logical_not Or:logical_or PRelu Pow
QuantizeLinear:quantize_per_tensor Reciprocal Relu Round Selu Shrink:hardshrink Sigmoid Sign Sin Sinh Softmax
Softplus Softsign Sqrt Sub Sum:add SwiGLU Swish:silu Tan Tanh ThresholdedRelu:threshold Xor:logical_xor
"""
_REDUCTIONS = """
ArgMax ArgMin Col2Im Concat CumProd CumSum DynamicQuantizeLinear:quantize_per_tensor_dynamic Flatten Mean
Multinomial NegativeLogLikelihoodLoss:nll_loss NonMaxSuppression:nms NonZero ReduceL1:linalg_vector_norm
ReduceL2:linalg_vector_norm ReduceLogSum:logsumexp ReduceLogSumExp:logsumexp ReduceMax:amax ReduceMean:mean
ReduceMin:amin ReduceProd:prod ReduceSum:sum ReduceSumSquare:sum SoftmaxCrossEntropyLoss:cross_entropy
TfIdfVectorizer:tf_idf TopK Unique
"""
_MOVES = """
Bernoulli BitCast BlackmanWindow Cast CastLike CenterCropPad Compress ConcatFromSequence Constant
ConstantOfShape DepthToSpace Expand EyeLike GatherElements GatherND HammingWindow HannWindow Identity
MaxUnpool MelWeightMatrix OneHot Optional OptionalGetElement OptionalHasElement Pad RandomNormal
RandomNormalLike RandomUniform RandomUniformLike Range RegexFullMatch Reshape ReverseSequence Scatter
ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
SequenceLength Shape Size Slice SpaceToDepth Split SplitToSequence Squeeze StringConcat StringNormalizer
StringSplit TensorScatter Tile Transpose Trilu Unsqueeze Where
"""
_ML = """
Binarizer CategoryMapper:label_encoder Imputer LabelEncoder:label_encoder Normalizer:normalize Scaler
TreeEnsemble:tree_ensemble TreeEnsembleClassifier:tree_ensemble TreeEnsembleRegressor:tree_ensemble
"""
_ML_MOVES = "ArrayFeatureExtractor CastMap DictVectorizer FeatureVectorizer OneHotEncoder ZipMap"
_TRAINING = "Adagrad Adam Momentum"
_MICROSOFT = """
BiasSoftmax:softmax DequantizeLinear:dequantize Gelu QLinearAdd:add QLinearConcat:concat
QLinearLeakyRelu:leaky_relu QLinearMul:mul QLinearReduceMean:mean QLinearSigmoid:sigmoid
QLinearSoftmax:softmax QuantizeLinear:quantize_per_tensor QuickGelu:gelu ReduceSumInteger:sum SwiGLU
"""
_MICROSOFT_MOVES = (
    "ExpandDims GatherND Pad QLinearWhere Range RemovePadding RestorePadding Trilu UnfoldTensor"
)


def _kinds(domain: str, words: str) -> dict[Operator, str]:
    pairs = (word.partition(":") for word in words.split())
    return {(domain, name): kind or name.lower() for name, _, kind in pairs}


PLAIN = (
    _kinds(ONNX, _ELEMENTWISE)
    | _kinds(ONNX, _REDUCTIONS)
    | _kinds(ML, _ML)
    | _kinds(TRAINING, _TRAINING)
    | _kinds(MICROSOFT, _MICROSOFT)
)
"""The kinds of what computes without multiply-adds, as torch calls them."""
NOTHING = frozenset(
    [
        *_kinds(ONNX, _MOVES),
        *_kinds(ML, _ML_MOVES),
        *_kinds(MICROSOFT, _MICROSOFT_MOVES),
        *_kinds(BLOCKED, "ReorderInput ReorderOutput"),
    ]
)
"""What makes, copies or rearranges elements: no operation, as views and copies of torch are none."""
NOT_COUNTED: dict[Operator, str] = {
    (ONNX, "DFT"): "how many products it takes depends on the algorithm",
    (ONNX, "STFT"): "how many products it takes depends on the algorithm",
    (ONNX, "Det"): "how many products it takes depends on the algorithm",
    (ONNX, "ImageDecoder"): "what decoding takes depends on the file",
    (ML, "SVMClassifier"): "what its kernel takes depends on how it is computed",
    (ML, "SVMRegressor"): "what its kernel takes depends on how it is computed",
    (TRAINING, "Gradient"): "which gradients it takes depends on the graph around it",
}
"""Operators that are known and not counted, and why."""
