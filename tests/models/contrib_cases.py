# SPDX-License-Identifier: MIT
"""Random nodes of ONNX Runtime's own operators, by family."""
from dataclasses import dataclass, field

import numpy as np

FAMILIES = {}


@dataclass
class Case:
    op: str
    inputs: list
    attrs: dict = field(default_factory=dict)
    outputs: tuple = (0,)
    tolerance: float = 5e-5
    steps: int = 0          # of an integer result that may differ
    fixed: tuple = ()       # inputs that must be constants
    domain: str = "com.microsoft"
    may_refuse: bool = False
    expected: list = None   # where ONNX Runtime has no kernel on the CPU
    mask: object = None     # (name, got, want) -> both without what is free
    family: str = ""

    def __post_init__(self):
        self.attrs = dict(self.attrs)
        self.inputs = [np.asarray(v) if isinstance(v, np.generic) else v
                       for v in self.inputs]


def cases(f):
    """A generator of the cases of one draw."""
    FAMILIES[f.__name__] = f
    return f


def f32(rng, *shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def pick(rng, *values):
    return values[rng.integers(len(values))]


def dims(rng, rank, top=6):
    return tuple(int(d) for d in rng.integers(1, top + 1, rank))


def maybe(rng, value):
    return value if rng.integers(2) else None


# ---- activations ----

@cases
def gelu(rng):
    x = f32(rng, *dims(rng, rng.integers(1, 5)), scale=3)
    yield Case("Gelu", [x])
    yield Case("QuickGelu", [x], {"alpha": float(rng.uniform(0.5, 2))})
    yield Case("FastGelu", [x, maybe(rng, f32(rng, x.shape[-1]))])
    yield Case("BiasGelu", [x, f32(rng, x.shape[-1])])


ACTIVATIONS = {"Relu": 0, "Tanh": 0, "Sigmoid": 0, "LeakyRelu": 1,
               "HardSigmoid": 2, "Clip": 2}


# ---- products and convolutions ----

@cases
def fused_matmul(rng):
    lead = dims(rng, rng.integers(0, 3), 4)
    m, k, n = dims(rng, 3, 20)
    ta, tb, ba, bb = (int(v) for v in rng.integers(0, 2, 4))
    if not lead:
        ba = bb = 0

    def operand(rows, cols, trans, across):
        if trans:
            rows, cols = cols, rows
        shape = (rows, *lead, cols) if across else (*lead, rows, cols)
        return f32(rng, *shape)

    a, b = operand(m, k, ta, ba), operand(k, n, tb, bb)
    alpha = float(pick(rng, 1.0, 0.125, -1.5))
    yield Case("FusedMatMul", [a, b],
               dict(transA=ta, transB=tb, transBatchA=ba, transBatchB=bb,
                    alpha=alpha))
    yield Case("FusedMatMul", [a.astype(np.float64), b.astype(np.float64)],
               dict(transA=ta, transB=tb, transBatchA=ba, transBatchB=bb,
                    alpha=alpha))
    yield Case("TransposeMatMul",
               [operand(m, k, ta, 0), operand(k, n, tb, 0)],
               dict(transA=ta, transB=tb, alpha=alpha))


@cases
def fused_gemm(rng):
    m, k, n = dims(rng, 3, 20)
    ta, tb = (int(v) for v in rng.integers(0, 2, 2))
    act = pick(rng, "Relu", "Tanh", "Sigmoid", "LeakyRelu", "HardSigmoid",
               "Softplus", "Softsign", "Elu", "Celu", "Selu",
               "ThresholdedRelu")
    attrs = dict(transA=ta, transB=tb, alpha=float(rng.uniform(0.2, 2)),
                 beta=float(pick(rng, 1.0, 0.5)), activation=act)
    if act in ("LeakyRelu", "HardSigmoid", "Elu", "Celu", "Selu",
               "ThresholdedRelu"):
        attrs["activation_alpha"] = float(rng.uniform(0.1, 1))
    if act == "HardSigmoid":
        attrs["activation_beta"] = float(rng.uniform(0, 0.5))
    if act == "Selu":
        attrs["activation_gamma"] = float(rng.uniform(0.5, 1.5))
    yield Case("FusedGemm",
               [f32(rng, *((k, m) if ta else (m, k))),
                f32(rng, *((n, k) if tb else (k, n))),
                maybe(rng, f32(rng, *pick(rng, (n,), (m, n), (1,), (m, 1))))],
               attrs)


@cases
def fused_conv(rng):
    group = int(pick(rng, 1, 1, 2, 3))
    c, m = group * int(rng.integers(1, 4)), group * int(rng.integers(1, 9))
    batch, h, w = dims(rng, 3, 9)
    kh, kw = min(h, int(rng.integers(1, 4))), min(w, int(rng.integers(1, 4)))
    act = pick(rng, *ACTIVATIONS)
    attrs = dict(group=group, kernel_shape=[kh, kw], activation=act,
                 strides=[int(v) for v in rng.integers(1, 3, 2)],
                 pads=[int(v) for v in rng.integers(0, 2, 4)])
    if ACTIVATIONS[act]:
        params = sorted(float(v) for v in rng.uniform(0.01, 1, 2))
        attrs["activation_params"] = params[:ACTIVATIONS[act]]
    x, k = f32(rng, batch, c, h, w), f32(rng, m, c // group, kh, kw)
    bias = f32(rng, m)
    oh = (h + attrs["pads"][0] + attrs["pads"][2] - kh) // attrs["strides"][0]
    ow = (w + attrs["pads"][1] + attrs["pads"][3] - kw) // attrs["strides"][1]
    z = f32(rng, batch, m, oh + 1, ow + 1)
    yield Case("FusedConv", [x, k, maybe(rng, bias)], attrs)
    yield Case("FusedConv", [x, k, bias, z], attrs)


# ---- weights of a few bits ----

def bytes_of(rng, *shape):
    return rng.integers(0, 256, shape).astype(np.uint8)


def scales(rng, *shape):
    return rng.uniform(0.01, 0.1, shape).astype(np.float32)


@cases
def matmul_nbits(rng):
    bits, block = int(pick(rng, 4, 4, 8, 2)), int(pick(rng, 16, 32, 64, 128))
    k, n = int(rng.integers(1, 300)), int(rng.integers(1, 140))
    blocks = -(-k // block)
    lead = pick(rng, (1,), (3,), (2, 2), (17,), (40,))
    t = pick(rng, np.float32, np.float32, np.float16)
    zero = pick(rng, None, bytes_of(rng, n, -(-blocks * bits // 8)),
                rng.uniform(0, 15, (n, blocks)).astype(t))
    yield Case("MatMulNBits",
               [f32(rng, *lead, k).astype(t),
                bytes_of(rng, n, blocks, block * bits // 8),
                scales(rng, n, blocks).astype(t), zero, None,
                maybe(rng, f32(rng, n).astype(t))],
               dict(K=k, N=n, bits=bits, block_size=block),
               tolerance=5e-5 if t == np.float32 else 1e-2,
               fixed=pick(rng, (), (1, 2, 3)), may_refuse=True)


@cases
def matmul_bnb4(rng):
    k, n = int(rng.integers(1, 80)), int(rng.integers(1, 300))
    block = int(pick(rng, 16, 64))
    yield Case("MatMulBnb4",
               [f32(rng, *pick(rng, (1,), (2, 5)), k),
                bytes_of(rng, (n * k + 1) // 2),
                scales(rng, -(-n * k // block))],
               dict(K=k, N=n, block_size=block,
                    quant_type=int(rng.integers(2))))


@cases
def matmul_integer16(rng):
    lead, (m, k, n) = dims(rng, rng.integers(0, 3), 3), dims(rng, 3, 9)
    yield Case("MatMulInteger16",
               [rng.integers(-3000, 3000, (*lead, m, k)).astype(np.int16),
                rng.integers(-3000, 3000, (k, n)).astype(np.int16)])


def int4(values, signed):
    """A TensorProto of 4-bit integers."""
    from onnx import TensorProto, helper
    flat = values.reshape(-1)
    return helper.make_tensor(
        "", TensorProto.INT4 if signed else TensorProto.UINT4,
        values.shape, flat.tolist())


@cases
def gather_block_quantized(rng):
    rows, block = int(rng.integers(2, 9)), int(pick(rng, 16, 32))
    cols = block * int(rng.integers(1, 4))
    bits = int(pick(rng, 4, 8, 2))
    ix = rng.integers(-rows, rows, pick(rng, (3,), (2, 2), ())).astype(
        pick(rng, np.int32, np.int64))
    blocks = cols // block
    out = pick(rng, np.float32, np.float16)
    zero = maybe(rng, bytes_of(rng, rows, -(-blocks * bits // 8)))
    yield Case("GatherBlockQuantized",
               [bytes_of(rng, rows, cols * bits // 8), ix,
                scales(rng, rows, blocks).astype(out), zero],
               dict(bits=bits, block_size=block, gather_axis=0,
                    quantize_axis=1), fixed=(0, 2, 3))
    signed = bool(rng.integers(2))
    lo, hi = (-8, 8) if signed else (0, 16)
    shape = [int(d) for d in rng.integers(2, 6, 3)]
    q, g = int(rng.integers(3)), int(rng.integers(3))
    shape[q] = int(rng.integers(17, 60))
    sshape = list(shape)
    sshape[q] = -(-shape[q] // 16)
    ix = rng.integers(-shape[g], shape[g], (3,)).astype(np.int64)
    yield Case("GatherBlockQuantized",
               [int4(rng.integers(lo, hi, shape), signed), ix,
                scales(rng, *sshape),
                maybe(rng, 1) and int4(rng.integers(lo, hi, sshape), signed)],
               dict(block_size=16, gather_axis=g, quantize_axis=q),
               fixed=(0, 2, 3))


# ---- attention ----

def mask_of(rng, batch, q, total, whole=1):
    """A mask that leaves something to every query, in one of its forms."""
    form = int(rng.integers(5))
    if form == 0:
        return None
    if form == 1:
        return rng.integers(1, total + 1, batch).astype(np.int32)
    if form == 2:
        end = rng.integers(1, total + 1, batch)
        start = rng.integers(0, end) * whole
        return np.concatenate([end, start]).astype(np.int32)
    m = rng.integers(0, 2, (batch, total) if form == 3 else
                     (batch, q, total)).astype(np.int32)
    m[..., 0] = 1
    return m


def score_bias(rng, batch, heads, q, total):
    return maybe(rng, f32(rng, pick(rng, 1, batch), pick(rng, 1, heads), q,
                          total))


@cases
def multi_head_attention(rng):
    batch, heads, q, kv = dims(rng, 4, 5)
    size, vsize = 8 * int(rng.integers(1, 4)), 8 * int(rng.integers(1, 4))
    if rng.integers(4) == 0:
        q, kv = int(rng.integers(20, 70)), int(rng.integers(200, 600))
    causal = int(rng.integers(2))
    form = pick(rng, "plain", "plain", "heads")
    past = int(rng.integers(1, 5)) if form == "plain" and rng.integers(2) \
        else 0
    if causal:
        q = min(q, kv)
    if past or form == "heads":
        vsize = size
    total = past + kv
    query = f32(rng, batch, q, heads * size)
    key, value = (f32(rng, batch, kv, heads * s) for s in (size, vsize))
    if form == "heads":
        key, value = (f32(rng, batch, heads, kv, s) for s in (size, vsize))
    bias = maybe(rng, f32(rng, heads * (2 * size + vsize)))
    mask = mask_of(rng, batch, q, total)
    if mask is not None and mask.shape == (2 * batch,):
        mask = None
    attrs = dict(num_heads=heads, unidirectional=causal)
    if rng.integers(3) == 0:
        attrs["scale"] = float(rng.uniform(0.1, 0.5))
    if rng.integers(3) == 0:
        attrs["mask_filter_value"] = -3.5
    pk = f32(rng, batch, heads, past, size) if past else None
    pv = f32(rng, batch, heads, past, vsize) if past else None
    yield Case("MultiHeadAttention",
               [query, key, value, bias, mask,
                score_bias(rng, batch, heads, q, total), pk, pv], attrs,
               outputs=(0, 1, 2) if past else (0,))


def weight8(rng, *shape):
    """A weight and its zero point.  Where they are signed, 7 bits: ONNX
    Runtime's products of uint8 and int8 saturate on CPUs without VNNI."""
    if rng.integers(2):
        return bytes_of(rng, *shape), bytes_of(rng)
    return (rng.integers(-64, 64, shape).astype(np.int8),
            rng.integers(-64, 64, ()).astype(np.int8))


@cases
def packed_attention(rng):
    batch, heads, q = dims(rng, 3, 5)
    size, vsize = 4 * int(rng.integers(1, 7)), 4 * int(rng.integers(1, 7))
    depth, causal = int(rng.integers(1, 40)), int(rng.integers(2))
    past = int(rng.integers(1, 5)) if rng.integers(2) else 0
    if past or rng.integers(2):
        vsize = size
    total, cols = past + q, heads * (2 * size + vsize)
    attrs = dict(num_heads=heads, unidirectional=causal)
    if vsize != size:
        attrs["qkv_hidden_sizes"] = [heads * s for s in (size, size, vsize)]
    if rng.integers(3) == 0:
        attrs["scale"] = float(rng.uniform(0.1, 0.5))
    mask = mask_of(rng, batch, q, total, 1 - causal)
    state = f32(rng, 2, batch, heads, past, size) if past else None
    outputs = (0, 1) if past or (vsize == size and rng.integers(2)) else (0,)
    yield Case("Attention",
               [f32(rng, batch, q, depth), f32(rng, depth, cols, scale=0.3),
                f32(rng, cols), mask, state,
                None if past else score_bias(rng, batch, heads, q, total)],
               attrs, outputs)
    attrs.pop("qkv_hidden_sizes", None)
    cols = heads * 3 * size
    weight, zero = weight8(rng, depth, cols)
    each = rng.integers(2)
    yield Case("QAttention",
               [bytes_of(rng, batch, q, depth), weight, f32(rng, cols),
                np.float32(0.01), scales(rng, *((cols,) if each else ())),
                mask, bytes_of(rng), zero, state], attrs, outputs,
               fixed=pick(rng, (), (1, 7)))


@cases
def rotary_embedding(rng):
    batch, heads, seq = dims(rng, 3, 5)
    size, rows = 4 * int(rng.integers(1, 9)), int(rng.integers(10, 20))
    if rng.integers(2):
        x = f32(rng, batch, heads, seq, size)
    else:
        x = f32(rng, batch, seq, heads * size)
    attrs, turned = {"interleaved": int(rng.integers(2))}, size
    if rng.integers(2):
        turned = size // 2
        attrs |= {"rotary_embedding_dim": turned, "num_heads": heads}
    pos = pick(rng, np.array([int(rng.integers(0, 4))], np.int64),
               rng.integers(0, rows, (batch, seq)).astype(np.int64))
    yield Case("RotaryEmbedding",
               [x, pos, f32(rng, rows, turned // 2),
                f32(rng, rows, turned // 2)], attrs)


@cases
def group_query_attention(rng):
    batch, kv_heads = dims(rng, 2, 3)
    heads = kv_heads * int(rng.integers(1, 4))
    size = 16 * int(rng.integers(1, 3))
    prompt = rng.integers(2)
    q = int(rng.integers(1, 7)) if prompt else 1
    if prompt:
        past, total = 0, q
        last = np.full(batch, q - 1, np.int32)
    else:
        past = int(rng.integers(1, 9))
        last = rng.integers(0, past + 1, batch).astype(np.int32)
        last[0] = past
        total = past + 1
        if batch == 1:
            q = int(rng.integers(1, 4))
            past += q - 1
            last[0], total = past + q - 1, past + q
    packed = rng.integers(2)
    query = f32(rng, batch, q, (heads + 2 * kv_heads * packed) * size)
    key = None if packed else f32(rng, batch, q, kv_heads * size)
    value = None if packed else f32(rng, batch, q, kv_heads * size)
    rotary = int(rng.integers(2))
    attrs = dict(num_heads=heads, kv_num_heads=kv_heads, do_rotary=rotary,
                 rotary_interleaved=int(rng.integers(2)))
    if rng.integers(2):
        attrs["local_window_size"] = int(rng.integers(1, 6))
    if rng.integers(3) == 0:
        attrs["softcap"] = 5.0
    if rng.integers(3) == 0:
        attrs["scale"] = 0.3
    sink = None
    if rng.integers(3) == 0:
        sink = f32(rng, heads)
    elif rng.integers(3) == 0:
        attrs["smooth_softmax"] = 1
    shape = (batch, kv_heads, past, size)

    def valid(name, got, want):
        if got.shape != want.shape or got.ndim != 4:
            return got, want
        keep = np.arange(got.shape[2])[None, :] <= last[:, None]
        keep = keep[:, None, :, None]
        return np.where(keep, got, 0), np.where(keep, want, 0)

    yield Case("GroupQueryAttention",
               [query, key, value,
                None if prompt else f32(rng, *shape),
                None if prompt else f32(rng, *shape), last,
                np.array(total, np.int32),
                f32(rng, 20, size // 2) if rotary else None,
                f32(rng, 20, size // 2) if rotary else None,
                maybe(rng, last[:, None] - np.arange(q)[::-1].astype(np.int64))
                if rotary and q == 1 else None,
                score_bias(rng, batch, heads, q, total), sink],
               attrs, outputs=(0, 1, 2), mask=valid, fixed=(5, 6))


# ---- 8-bit operators ----

def q8(rng, signed, *shape):
    x = bytes_of(rng, *shape)
    return x.view(np.int8) if signed else x


def scale(rng, low=0.01, high=0.1):
    return np.float32(rng.uniform(low, high))


def broadcasts(rng):
    """Two shapes that broadcast."""
    full = list(dims(rng, rng.integers(1, 5)))
    a = [d if rng.integers(3) else 1 for d in full]
    b = [d if rng.integers(3) else 1 for d in full]
    return a, b[rng.integers(len(b)):]


@cases
def qlinear_binary(rng):
    a, b = broadcasts(rng)
    s = rng.integers(2)
    for op in ("QLinearAdd", "QLinearMul"):
        yield Case(op, [q8(rng, s, *a), scale(rng), q8(rng, s),
                        q8(rng, s, *b), scale(rng), q8(rng, s), scale(rng),
                        q8(rng, s)], fixed=(1, 2, 4, 5, 6, 7), steps=1)


@cases
def qlinear_unary(rng):
    x, s = dims(rng, rng.integers(1, 5)), rng.integers(2)
    par = [scale(rng), q8(rng, s), scale(rng), q8(rng, s)]
    fixed = pick(rng, (), (1, 2, 3, 4))
    yield Case("QLinearLeakyRelu", [q8(rng, s, *x), *par],
               {"alpha": float(rng.uniform(0, 1))}, fixed=fixed)
    yield Case("QLinearSigmoid", [q8(rng, s, *x), *par], fixed=fixed)
    soft = [q8(rng, s, *x), scale(rng), q8(rng, s), np.float32(1 / 256),
            np.array(-128 if s else 0, np.int8 if s else np.uint8)]
    yield Case("QLinearSoftmax", soft,
               {"axis": int(rng.integers(-len(x), len(x))),
                "opset": int(pick(rng, 11, 13))}, fixed=(1, 2, 3, 4), steps=1)


@cases
def qlinear_concat(rng):
    s = rng.integers(2)
    shape = list(dims(rng, rng.integers(1, 5)))
    axis = int(rng.integers(len(shape)))
    inputs = [scale(rng), q8(rng, s)]
    for _ in range(rng.integers(1, 4)):
        shape[axis] = int(rng.integers(1, 5))
        inputs += [q8(rng, s, *shape), scale(rng), q8(rng, s)]
    yield Case("QLinearConcat", inputs, {"axis": axis},
               fixed=pick(rng, (), tuple(range(20))))


@cases
def qlinear_where(rng):
    a, b = broadcasts(rng)
    s = rng.integers(2)
    yield Case("QLinearWhere",
               [rng.integers(0, 2, pick(rng, tuple(a), tuple(b))) > 0,
                q8(rng, s, *a), scale(rng), q8(rng, s),
                q8(rng, s, *b), scale(rng), q8(rng, s), scale(rng),
                q8(rng, s)], fixed=(2, 3, 5, 6, 7, 8))


@cases
def qlinear_pool(rng):
    s, last = rng.integers(2), int(rng.integers(2))
    batch, ch, h, w = dims(rng, 4, 9)
    shape = (batch, h, w, ch) if last else (batch, ch, h, w)
    par = [scale(rng), q8(rng, s), scale(rng), q8(rng, s)]
    kernel = [min(d, int(k)) for d, k in zip((h, w), rng.integers(1, 4, 2))]
    pads = [int(rng.integers(0, k)) for k in kernel * 2]
    attrs = dict(kernel_shape=kernel, pads=pads, channels_last=last,
                 strides=[int(v) for v in rng.integers(1, 3, 2)],
                 ceil_mode=int(rng.integers(2)),
                 count_include_pad=int(rng.integers(2)))
    yield Case("QLinearAveragePool", [q8(rng, s, *shape), *par], attrs,
               fixed=(1, 2, 3, 4), steps=1)
    yield Case("QLinearGlobalAveragePool", [q8(rng, s, *shape), *par],
               dict(channels_last=last), fixed=(1, 2, 3, 4), steps=1)
    attrs.pop("channels_last")
    attrs.pop("count_include_pad")
    attrs["dilations"] = [2 if 2 * k - 1 <= d and rng.integers(2) else 1
                          for k, d in zip(kernel, (h, w))]
    yield Case("NhwcMaxPool", [q8(rng, s, batch, h, w, ch)], attrs,
               may_refuse=True)


@cases
def qlinear_conv(rng):
    group = int(pick(rng, 1, 1, 2, 4))
    c, m = group * int(rng.integers(1, 4)), group * int(rng.integers(1, 9))
    if rng.integers(4) == 0:
        group = c = m = int(rng.integers(2, 20))
    batch, h, w = dims(rng, 3, 9)
    kernel = [min(d, int(k)) for d, k in zip((h, w), rng.integers(1, 4, 2))]
    last = int(rng.integers(2))
    x = bytes_of(rng, *((batch, h, w, c) if last else (batch, c, h, w)))
    weight, zero = weight8(rng, m, c // group, *kernel)
    if weight.dtype == np.int8 and rng.integers(2):
        zero = np.zeros((), np.int8)
    attrs = dict(group=group, kernel_shape=kernel, channels_last=last,
                 strides=[int(v) for v in rng.integers(1, 3, 2)],
                 pads=[int(v) for v in rng.integers(0, 2, 4)])
    each = rng.integers(2)
    yield Case("QLinearConv",
               [x, scale(rng), bytes_of(rng), weight,
                scales(rng, *((m,) if each else ())), zero,
                np.float32(rng.uniform(0.05, 0.5)), bytes_of(rng),
                maybe(rng, rng.integers(-2000, 2000, m).astype(np.int32))],
               attrs, fixed=(1, 2, 3, 4, 5, 6, 7, 8), steps=1)


@cases
def qgemm(rng):
    m, k, n = dims(rng, 3, 40)
    ta, tb = (int(v) for v in rng.integers(0, 2, 2))
    weight, zero = weight8(rng, *((n, k) if tb else (k, n)))
    each = rng.integers(2)
    bscale = scales(rng, *((n,) if each else ()))
    if each:
        zero = np.full(n, zero)
    out = [np.float32(0.2), bytes_of(rng)] if rng.integers(2) else []
    yield Case("QGemm",
               [bytes_of(rng, *((k, m) if ta else (m, k))), scale(rng),
                bytes_of(rng), weight, bscale, zero,
                maybe(rng, rng.integers(-3000, 3000, pick(
                    rng, (n,), (m, n), (1, n))).astype(np.int32)), *out],
               dict(transA=ta, transB=tb, alpha=float(pick(rng, 1.0, 0.5))),
               fixed=(1, 2, 4, 5, 7, 8), steps=1)


@cases
def integer_products(rng):
    lead, (m, k, n) = dims(rng, rng.integers(0, 3), 3), dims(rng, 3, 40)
    weight, zero = weight8(rng, k, n)
    each = rng.integers(2)
    bscale = scales(rng, *((n,) if each else ()))
    if each:
        zero = np.full(n, zero)
    bias = maybe(rng, f32(rng, n))
    yield Case("DynamicQuantizeMatMul",
               [f32(rng, *lead, m, k), weight, bscale, zero, bias],
               tolerance=2e-3, fixed=pick(rng, (), (1, 2, 3)))
    yield Case("MatMulIntegerToFloat",
               [bytes_of(rng, *lead, m, k), weight, scale(rng), bscale,
                bytes_of(rng), zero, bias], fixed=pick(rng, (), (1, 3, 5)))


@cases
def quantize_linear(rng):
    x = f32(rng, *dims(rng, 3, 5), scale=20)
    axis = int(rng.integers(-3, 3))
    each = rng.integers(2)
    n = x.shape[axis]
    t = pick(rng, np.uint8, np.int8, np.uint16, np.int16)
    info = np.iinfo(t)
    step = scales(rng, *((n,) if each else ()))
    zero = rng.integers(info.min, info.max + 1, step.shape).astype(t)
    yield Case("QuantizeLinear", [x, step, zero], {"axis": axis})
    q = rng.integers(info.min, info.max + 1, x.shape).astype(t)
    yield Case("DequantizeLinear", [q, step, zero], {"axis": axis})
    signed = bool(rng.integers(2))
    lo, hi = (-8, 8) if signed else (0, 16)
    yield Case("DequantizeLinear",
               [int4(rng.integers(lo, hi, x.shape), signed), step,
                int4(rng.integers(lo, hi, step.shape), signed)],
               {"axis": axis})


@cases
def qlinear_reduce_mean(rng):
    s = rng.integers(2)
    x = q8(rng, s, *dims(rng, 3))
    zx, zy, sx, sy = q8(rng, s), q8(rng, s), scale(rng), scale(rng)
    axes = [int(rng.integers(-3, 3))]
    keep = int(rng.integers(2))
    real = (x.astype(np.float64) - zx).mean(axes[0], keepdims=bool(keep)) * sx
    info = np.iinfo(x.dtype)
    y = np.clip(np.rint(real / sy) + zy, info.min, info.max).astype(x.dtype)
    yield Case("QLinearReduceMean", [x, sx, zx, sy, zy],
               dict(axes=axes, keepdims=keep), steps=1, expected=[y])


# ---- normalization ----

@cases
def skip_norm(rng):
    x = dims(rng, 3, 20)
    n = x[-1]
    t = pick(rng, np.float32, np.float32, np.float16)
    tol = 5e-5 if t == np.float32 else 5e-3

    def v(*shape):
        return f32(rng, *shape).astype(t)

    skip = v(*pick(rng, x, (1, *x[1:]), x[1:]))
    eps = float(pick(rng, 1e-12, 1e-5, 0.1))
    sums = (0, 3) if rng.integers(2) else (0,)
    yield Case("SkipLayerNormalization",
               [v(*x), skip, v(n), maybe(rng, v(n)), maybe(rng, v(n))],
               {"epsilon": eps}, sums, tol)
    yield Case("SkipSimplifiedLayerNormalization",
               [v(*x), skip, v(n), maybe(rng, v(n))], {"epsilon": eps}, sums,
               tol)
    yield Case("SimplifiedLayerNormalization", [v(*x), v(n)],
               {"epsilon": 1e-5, "axis": -1}, domain="", tolerance=tol)


@cases
def embed_norm(rng):
    batch, seq, n = dims(rng, 3, 9)

    def ids(rows, *shape):
        return rng.integers(0, rows, shape).astype(np.int32)

    segments = rng.integers(2)
    mask = maybe(rng, ids(2, batch, seq))
    yield Case("EmbedLayerNormalization",
               [ids(9, batch, seq), ids(2, batch, seq) if segments else None,
                f32(rng, 9, n), f32(rng, 12, n),
                f32(rng, 2, n) if segments else None, f32(rng, n),
                f32(rng, n), mask,
                maybe(rng, ids(12, pick(rng, 1, batch), seq))],
               {"epsilon": float(pick(rng, 1e-12, 1e-3))},
               pick(rng, (0, 1), (0, 1, 2)))
    tables = [bytes_of(rng, *s) for s in ((9, n), (12, n), (2, n), (n,), (n,))]
    par = [scale(rng) for _ in tables] + [bytes_of(rng) for _ in tables]
    first = [ids(9, batch, seq), ids(2, batch, seq)]
    if not segments:
        first[1] = tables[2] = par[2] = par[7] = None
    yield Case("QEmbedLayerNormalization", first + tables + [mask] + par,
               {"epsilon": 1e-5}, (0, 1))


@cases
def group_norm(rng):
    batch, groups, per, h, w = dims(rng, 5, 4)
    ch = groups * per
    x, skip = f32(rng, batch, ch, h, w), f32(rng, batch, ch, h, w)
    gamma, beta, bias = f32(rng, ch), f32(rng, ch), f32(rng, ch)
    act, last = int(rng.integers(2)), int(rng.integers(2))

    def norm(v):
        v = v.astype(np.float64)
        g = v.reshape(batch, groups, -1)
        g = (g - g.mean(-1, keepdims=True)) / np.sqrt(
            g.var(-1, keepdims=True) + 1e-5)
        y = g.reshape(v.shape) * gamma[:, None, None] + beta[:, None, None]
        return place(y / (1 + np.exp(-y)) if act else y)

    def place(v):
        v = v.transpose(0, 2, 3, 1) if last else v
        return np.ascontiguousarray(v.astype(np.float32))

    attrs = dict(activation=act, channels_last=last, groups=groups,
                 epsilon=1e-5)
    yield Case("GroupNorm", [place(x), gamma, beta], attrs,
               expected=[norm(x)])
    total = x + skip + bias[:, None, None]
    yield Case("SkipGroupNorm", [place(x), gamma, beta, place(skip), bias],
               attrs, (0, 1), expected=[norm(total), place(total)])


@cases
def dynamic_lstm(rng):
    time, batch, depth, hidden = dims(rng, 4, 6)
    way = pick(rng, "forward", "reverse", "bidirectional")
    n = 2 if way == "bidirectional" else 1
    each = rng.integers(2)

    def weights(rows):
        w, zero = weight8(rng, n, rows, 4 * hidden)
        s = scales(rng, n, *((4 * hidden,) if each else ()))
        return w, s / 8, np.full(s.shape, zero if not each else 0, w.dtype)

    w, ws, wz = weights(depth)
    r, rs, rz = weights(hidden)
    if w.dtype != r.dtype:
        r, rz = r.view(w.dtype), rz.view(w.dtype)
        if r.dtype == np.int8:
            r = (r // 2).astype(np.int8)
    yield Case("DynamicQuantizeLSTM",
               [f32(rng, time, batch, depth), w, r,
                maybe(rng, f32(rng, n, 8 * hidden)),
                maybe(rng, rng.integers(1, time + 1, batch).astype(np.int32)),
                maybe(rng, f32(rng, n, batch, hidden)),
                maybe(rng, f32(rng, n, batch, hidden)), None,
                ws, wz, rs, rz],
               dict(hidden_size=hidden, direction=way), (0, 1, 2), 2e-2,
               fixed=(1, 2, 8, 9, 10, 11))


# ---- others ----

@cases
def others(rng):
    n = int(rng.integers(1, 6))
    m = f32(rng, *dims(rng, rng.integers(0, 3), 3), n, n)
    yield Case("Inverse", [(m + 3 * np.eye(n)).astype(np.float32)],
               tolerance=1e-4)
    w = int(rng.integers(1, 9))
    yield Case("CDist", [f32(rng, *dims(rng, 1), w), f32(rng, 5, w)],
               {"metric": pick(rng, "euclidean", "sqeuclidean")},
               tolerance=1e-4)
    x = f32(rng, *dims(rng, 3))
    yield Case("ExpandDims", [x, np.array(int(rng.integers(-3, 4)), np.int32)],
               fixed=(1,))
    yield Case("Trilu", [x, maybe(rng, np.array(int(rng.integers(-3, 4)),
                                                np.int64))],
               {"upper": int(rng.integers(2))})
    t = pick(rng, np.float32, np.int32, np.int64, np.float64)
    yield Case("Range", [np.array(v, t) for v in (1, 9, 2)][
        :int(rng.integers(2, 4))])
    yield Case("GatherND",
               [x, rng.integers(0, 1, (3, int(rng.integers(1, 4)))).astype(
                   np.int64)])
