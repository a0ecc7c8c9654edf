# SPDX-License-Identifier: MIT
"""Networks for export, with random weights and few channels: the graphs are
what the published architectures give, only narrower.

NETS lists them: a function that makes the module, one that makes example
inputs, the names of inputs and outputs, and the axes that vary.
"""
import math
from collections import namedtuple

import torch
import torch.nn.functional as F
from torch import nn

Net = namedtuple("Net", "make inputs names outputs axes dynamo",
                 defaults=(True,))


# ---- pictures ----

class Residual(nn.Module):
    """The basic block of ResNet-18 (He et al. 2015)."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.an = nn.BatchNorm2d(cout)
        self.b = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(cout)
        self.short = None
        if stride != 1 or cin != cout:
            self.short = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride, bias=False),
                nn.BatchNorm2d(cout))

    def forward(self, x):
        y = self.bn(self.b(F.relu(self.an(self.a(x)))))
        return F.relu(y + (self.short(x) if self.short else x))


class ResNet(nn.Module):
    def __init__(self, width=16, classes=10):
        super().__init__()
        w = width
        self.stem = nn.Sequential(nn.Conv2d(3, w, 7, 2, 3, bias=False),
                                  nn.BatchNorm2d(w), nn.ReLU(),
                                  nn.MaxPool2d(3, 2, 1))
        self.body = nn.Sequential(
            Residual(w, w, 1), Residual(w, w, 1),
            Residual(w, 2 * w, 2), Residual(2 * w, 2 * w, 1),
            Residual(2 * w, 4 * w, 2), Residual(4 * w, 4 * w, 1),
            Residual(4 * w, 8 * w, 2), Residual(8 * w, 8 * w, 1))
        self.head = nn.Linear(8 * w, classes)

    def forward(self, x):
        y = F.adaptive_avg_pool2d(self.body(self.stem(x)), 1)
        return self.head(y.flatten(1))


class SqueezeExcite(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.down = nn.Conv2d(c, c // 4, 1)
        self.up = nn.Conv2d(c // 4, c, 1)

    def forward(self, x):
        s = x.mean([2, 3], keepdim=True)
        return x * F.hardsigmoid(self.up(F.relu(self.down(s))))


class Inverted(nn.Module):
    """The block of MobileNetV3 (Howard et al. 2019)."""

    def __init__(self, cin, mid, cout, k, stride, se, act):
        super().__init__()
        self.same = stride == 1 and cin == cout
        parts = [nn.Conv2d(cin, mid, 1, bias=False), nn.BatchNorm2d(mid),
                 act(),
                 nn.Conv2d(mid, mid, k, stride, k // 2, groups=mid,
                           bias=False), nn.BatchNorm2d(mid), act()]
        if se:
            parts.append(SqueezeExcite(mid))
        parts += [nn.Conv2d(mid, cout, 1, bias=False), nn.BatchNorm2d(cout)]
        self.body = nn.Sequential(*parts)

    def forward(self, x):
        y = self.body(x)
        return x + y if self.same else y


class MobileNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        h, r = nn.Hardswish, nn.ReLU
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), h(),
            Inverted(16, 16, 16, 3, 2, True, r),
            Inverted(16, 72, 24, 3, 2, False, r),
            Inverted(24, 88, 24, 3, 1, False, r),
            Inverted(24, 96, 40, 5, 2, True, h),
            Inverted(40, 240, 40, 5, 1, True, h),
            nn.Conv2d(40, 128, 1, bias=False), nn.BatchNorm2d(128), h())
        self.head = nn.Sequential(nn.Linear(128, 64), h(), nn.Dropout(0.2),
                                  nn.Linear(64, classes))

    def forward(self, x):
        y = F.adaptive_avg_pool2d(self.body(x), 1)
        return self.head(torch.flatten(y, 1))


class UNet(nn.Module):
    """Ronneberger et al. 2015, with the upsampled map resized to its
    neighbour's size, so that any picture fits."""

    def __init__(self, w=8):
        super().__init__()

        def two(cin, cout):
            return nn.Sequential(nn.Conv2d(cin, cout, 3, 1, 1), nn.ReLU(),
                                 nn.Conv2d(cout, cout, 3, 1, 1), nn.ReLU())

        self.d = nn.ModuleList([two(3, w), two(w, 2 * w), two(2 * w, 4 * w)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(4 * w, 2 * w, 2, 2),
                                 nn.ConvTranspose2d(2 * w, w, 2, 2)])
        self.u = nn.ModuleList([two(4 * w, 2 * w), two(2 * w, w)])
        self.out = nn.Conv2d(w, 2, 1)

    def forward(self, x):
        a = self.d[0](x)
        b = self.d[1](F.max_pool2d(a, 2))
        y = self.d[2](F.max_pool2d(b, 2))
        for up, merge, skip in zip(self.up, self.u, (b, a)):
            y = F.interpolate(up(y), size=skip.shape[2:], mode="bilinear",
                              align_corners=False)
            y = merge(torch.cat([skip, y], 1))
        return self.out(y).softmax(1)


class ViT(nn.Module):
    """Dosovitskiy et al. 2020; the positions are interpolated to the size of
    the picture."""

    def __init__(self, dim=32, patch=8, grid=4, classes=10):
        super().__init__()
        self.dim = dim
        self.patch = nn.Conv2d(3, dim, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, dim, grid, grid))
        self.blocks = nn.ModuleList([Block(dim, 4) for _ in range(2)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        y = self.patch(x)
        pos = F.interpolate(self.pos, size=y.shape[2:], mode="bilinear",
                            align_corners=False)
        y = (y + pos).flatten(2).transpose(1, 2)
        y = torch.cat([self.cls.expand(y.shape[0], -1, -1), y], 1)
        for b in self.blocks:
            y = b(y, None)
        return self.head(self.norm(y)[:, 0])


# ---- text ----

class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim)
                                          for _ in range(4))

    def split(self, x):
        n, s, c = x.shape
        return x.view(n, s, self.heads, c // self.heads).permute(0, 2, 1, 3)

    def forward(self, x, mask, past=None):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), \
            self.split(self.v(x))
        if past is not None:
            k = torch.cat([past[0], k], 2)
            v = torch.cat([past[1], v], 2)
        w = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if mask is not None:
            w = w + mask
        y = w.softmax(-1) @ v
        y = y.permute(0, 2, 1, 3).contiguous()
        y = self.o(y.view(y.shape[0], y.shape[1], -1))
        return y if past is None else (y, k, v)


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.a = SelfAttention(dim, heads)
        self.an, self.mn = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.m = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(),
                               nn.Linear(4 * dim, dim))

    def forward(self, x, mask, past=None):
        y = self.a(self.an(x), mask, past)
        k = v = None
        if past is not None:
            y, k, v = y
        x = x + y
        x = x + self.m(self.mn(x))
        return x if past is None else (x, k, v)


class Encoder(nn.Module):
    """BERT (Devlin et al. 2018): token, position and segment embeddings, a
    mask of padding, a pooled and a token-wise output."""

    def __init__(self, words=50, dim=32, length=64):
        super().__init__()
        self.word = nn.Embedding(words, dim)
        self.pos = nn.Embedding(length, dim)
        self.kind = nn.Embedding(2, dim)
        self.register_buffer("ids", torch.arange(length).unsqueeze(0))
        self.norm = nn.LayerNorm(dim)
        self.blocks = nn.ModuleList([Block(dim, 4) for _ in range(2)])
        self.pool = nn.Linear(dim, dim)

    def forward(self, tokens, mask, kinds):
        x = self.word(tokens) + self.kind(kinds) + \
            self.pos(self.ids[:, :tokens.shape[1]])
        x = self.norm(x)
        m = (1.0 - mask[:, None, None, :].to(x.dtype)) * -10000.0
        for b in self.blocks:
            x = b(x, m)
        return x, torch.tanh(self.pool(x[:, 0]))


class Decoder(nn.Module):
    """GPT-2 (Radford et al. 2019) with the keys and values of past tokens as
    inputs and outputs, and the causal mask made in the graph."""

    def __init__(self, words=50, dim=32, length=64, layers=2):
        super().__init__()
        self.word = nn.Embedding(words, dim)
        self.pos = nn.Embedding(length, dim)
        self.blocks = nn.ModuleList([Block(dim, 4) for _ in range(layers)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, words, bias=False)

    def forward(self, tokens, *past):
        had, new = past[0].shape[2], tokens.shape[1]
        at = torch.arange(had, had + new)
        x = self.word(tokens) + self.pos(at)
        mask = torch.arange(had + new)[None, :] > at[:, None]
        mask = mask.to(x.dtype) * -10000.0
        out = []
        for i, b in enumerate(self.blocks):
            x, k, v = b(x, mask, (past[2 * i], past[2 * i + 1]))
            out += [k, v]
        return (self.head(self.norm(x)), *out)


class Lstm(nn.Module):
    def __init__(self, bidirectional=True):
        super().__init__()
        self.word = nn.Embedding(50, 16)
        self.lstm = nn.LSTM(16, 12, 2, batch_first=True,
                            bidirectional=bidirectional)
        self.gru = nn.GRU(24, 8, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, tokens):
        y, _ = self.lstm(self.word(tokens))
        y, h = self.gru(y)
        return F.log_softmax(self.head(y), -1), h


# ---- control flow ----

@torch.jit.script
def accumulate(x, steps: int):
    y = x
    total = torch.zeros_like(x)
    for i in range(steps):
        if i % 2 == 0:
            total = total + y
        else:
            total = total - y * 0.5
        y = torch.tanh(y)
    return total


@torch.jit.script
def gather_steps(x):
    rows = []
    state = torch.zeros_like(x[:, 0])
    for i in range(x.size(1)):
        state = state * 0.5 + x[:, i]
        rows.append(state)
    return torch.stack(rows, 1)


class Loops(nn.Module):
    """A loop over steps with a branch, and one over a sequence."""

    def __init__(self):
        super().__init__()
        self.f = nn.Linear(6, 6)

    def forward(self, x):
        y = accumulate(self.f(x), x.shape[1])
        return gather_steps(y)


# ---- detection ----

class Suppress(torch.autograd.Function):
    """Selected indices [count, 3] of boxes [N, B, 4], scores [N, C, B]."""

    @staticmethod
    def forward(ctx, boxes, scores, most, overlap, least):
        return torch.zeros(4, 3, dtype=torch.long)

    @staticmethod
    def symbolic(g, boxes, scores, most, overlap, least):
        return g.op("NonMaxSuppression", boxes, scores, most, overlap, least)


class Detector(nn.Module):
    """A one-scale head: boxes around cells, classes, suppression, the best
    rows gathered."""

    def __init__(self, classes=3, w=16):
        super().__init__()
        self.classes = classes
        self.body = nn.Sequential(nn.Conv2d(3, w, 3, 2, 1), nn.SiLU(),
                                  nn.Conv2d(w, w, 3, 2, 1), nn.SiLU())
        self.box = nn.Conv2d(w, 4, 1)
        self.cls = nn.Conv2d(w, classes, 1)

    def forward(self, x):
        f = self.body(x)
        h, w = f.shape[2], f.shape[3]
        gy, gx = torch.meshgrid(torch.arange(h), torch.arange(w),
                                indexing="ij")
        at = torch.stack([gx, gy], -1).view(1, -1, 2).to(f.dtype)
        b = self.box(f).flatten(2).transpose(1, 2)
        mid, size = b[..., :2].sigmoid() + at, b[..., 2:].exp()
        boxes = torch.cat([mid - size / 2, mid + size / 2], -1)
        scores = self.cls(f).flatten(2).sigmoid()
        keep = Suppress.apply(boxes, scores, torch.tensor([5]),
                              torch.tensor([0.5]), torch.tensor([0.3]))
        n, c, k = keep[:, 0], keep[:, 1], keep[:, 2]
        return boxes[n, k], scores[n, c, k], keep


# ---- the list ----

def picture(size):
    return lambda: (torch.randn(2, 3, size, size),)


def tokens(n, s):
    return torch.randint(0, 50, (n, s))


def past():
    return (tokens(2, 5), *(torch.randn(2, 4, 3, 8) for _ in range(4)))


PICTURE = {0: "batch", 2: "height", 3: "width"}
TEXT = {0: "batch", 1: "sequence"}
KEYS = [f"past_{s}{i}" for i in range(2) for s in "kv"]
PRESENT = [n.replace("past", "present") for n in KEYS]

NETS = {
    "resnet": Net(ResNet, picture(64), ["x"], ["y"], {"x": PICTURE}),
    "mobilenet": Net(MobileNet, picture(64), ["x"], ["y"], {"x": PICTURE}),
    "unet": Net(UNet, picture(32), ["x"], ["y"], {"x": PICTURE}),
    "vit": Net(ViT, picture(32), ["x"], ["y"], {"x": PICTURE}),
    "encoder": Net(Encoder,
                   lambda: (tokens(2, 7), torch.ones(2, 7, dtype=torch.long),
                            torch.zeros(2, 7, dtype=torch.long)),
                   ["tokens", "mask", "kinds"], ["hidden", "pooled"],
                   {"tokens": TEXT, "mask": TEXT, "kinds": TEXT}),
    "decoder": Net(Decoder, past, ["tokens", *KEYS], ["logits", *PRESENT],
                   {"tokens": TEXT,
                    **{k: {0: "batch", 2: "past"} for k in KEYS}}),
    "lstm": Net(Lstm, lambda: (tokens(2, 6),), ["tokens"], ["y", "h"],
                {"tokens": TEXT}),
    "loops": Net(Loops, lambda: (torch.randn(2, 5, 6),), ["x"], ["y"],
                 {"x": TEXT}, dynamo=False),
    "detector": Net(Detector, picture(32), ["x"],
                    ["boxes", "scores", "keep"],
                    {"x": {2: "height", 3: "width"}}, dynamo=False),
}
