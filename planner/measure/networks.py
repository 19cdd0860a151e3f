"""Real networks with random weights, to hold predictions against: plain torch modules at their published sizes.

ResNet-50 (arXiv:1512.03385; stride in the 3×3 as torchvision does), MobileNetV2 (arXiv:1801.04381), ViT-B/16
(arXiv:2010.11929), BERT-base (arXiv:1810.04805), GPT-2 small (Radford et al., 2019), DLRM (arXiv:1906.00091) with 26 tables.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 with a shortcut."""

    def __init__(self, into: int, width: int, stride: int) -> None:
        super().__init__()
        out = 4 * width
        self.body = nn.Sequential(
            nn.Conv2d(into, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.short = nn.Sequential()
        if stride > 1 or into != out:
            self.short = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, channels, height, width)."""
        return functional.relu(self.body(x) + self.short(x), inplace=True)


def resnet50() -> nn.Module:
    """ResNet-50 for 224 × 224 images."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    into = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(blocks):
            layers.append(Bottleneck(into, width, stride if i == 0 else 1))
            into = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(into, 1000))


class Inverted(nn.Module):
    """Widen, depthwise 3×3, narrow."""

    def __init__(self, into: int, out: int, stride: int, widen: int) -> None:
        super().__init__()
        inner = into * widen
        layers: list[nn.Module] = []
        if widen > 1:
            layers += [nn.Conv2d(into, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6(inplace=True)]
        layers += [nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False), nn.BatchNorm2d(inner), nn.ReLU6(inplace=True)]
        self.body = nn.Sequential(*layers, nn.Conv2d(inner, out, 1, bias=False), nn.BatchNorm2d(out))
        self.residual = stride == 1 and into == out

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, channels, height, width)."""
        return x + self.body(x) if self.residual else self.body(x)


def mobilenet_v2() -> nn.Module:
    """MobileNetV2 1.0 for 224 × 224 images."""
    layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(inplace=True)]
    into = 32
    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for widen, out, blocks, stride in table:
        for i in range(blocks):
            layers.append(Inverted(into, out, stride if i == 0 else 1, widen))
            into = out
    layers += [nn.Conv2d(into, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


class Attention(nn.Module):
    """Multi-head attention through ``scaled_dot_product_attention``; with a cache where one is given."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads, self.causal = heads, causal

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """x (batch, tokens, width); past: keys and values (batch, heads, context, dim)."""
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal and past is None)
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    """A transformer layer: norms before (GPT-2, ViT) or after (BERT) each half."""

    def __init__(self, width: int, heads: int, *, causal: bool, before: bool, gelu: str = "none") -> None:
        super().__init__()
        self.attention = Attention(width, heads, causal)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate=gelu), nn.Linear(4 * width, width))
        self.norm1, self.norm2, self.before = nn.LayerNorm(width), nn.LayerNorm(width), before

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """x (batch, tokens, width)."""
        if self.before:
            x = x + self.attention(self.norm1(x), past)
            return x + self.mlp(self.norm2(x))
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.mlp(x))


class VisionTransformer(nn.Module):
    """ViT-B/16."""

    def __init__(self, width: int = 768, depth: int = 12) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.start, self.positions = nn.Parameter(torch.zeros(1, 1, width)), nn.Parameter(torch.randn(1, 197, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, 12, causal=False, before=True) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, 3, 224, 224)."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.start.expand(len(x), -1, -1), x), dim=1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class Language(nn.Module):
    """BERT-base (``before`` False) or GPT-2 small: token and position tables, layers, logits of every token or the last."""

    def __init__(self, vocabulary: int, positions: int, *, causal: bool, width: int = 768, depth: int = 12) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        gelu = "tanh" if causal else "none"
        self.blocks = nn.ModuleList(Block(width, 12, causal=causal, before=causal, gelu=gelu) for _ in range(depth))
        self.norm, self.causal = nn.LayerNorm(width), causal
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor, past: list[tuple[Tensor, Tensor]] | None = None) -> Tensor:
        """tokens (batch, length) of integers; past: each layer's keys and values."""
        start = past[0][0].shape[2] if past else 0
        places = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        x = self.tokens(tokens) + self.positions(places)
        if not self.causal:
            x = self.norm(x)
        for i, block in enumerate(self.blocks):
            x = block(x, past[i]) if past else block(x)
        if self.causal:
            x = self.norm(x if self.training else x[:, -1:])
        return self.head(x) if self.causal or self.training else x


class Recommender(nn.Module):
    """DLRM: 26 embedding bags of a million rows in all, dot interactions, and two towers of dense layers."""

    def __init__(self, tables: int = 26, rows: int = 40_000, width: int = 64) -> None:
        super().__init__()
        self.bags = nn.ModuleList(nn.EmbeddingBag(rows, width, mode="sum") for _ in range(tables))
        self.bottom = nn.Sequential(
            nn.Linear(13, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, width), nn.ReLU()
        )
        pairs = (tables + 1) * tables // 2
        self.top = nn.Sequential(
            nn.Linear(pairs + width, 1024),
            nn.ReLU(),
            nn.Linear(1024, 1024),
            nn.ReLU(),
            nn.Linear(1024, 512),
            nn.ReLU(),
            nn.Linear(512, 1),
            nn.Sigmoid(),
        )
        one, other = torch.tril_indices(tables + 1, tables + 1, offset=-1)
        self.register_buffer("flat", one * (tables + 1) + other, persistent=False)

    def forward(self, dense: Tensor, bags: Tensor) -> Tensor:
        """dense (batch, 13); bags (tables, batch, hot) of row numbers."""
        bottom = self.bottom(dense)
        vectors = torch.stack([bottom, *(table(bag) for table, bag in zip(self.bags, bags, strict=True))], dim=1)
        dots = torch.bmm(vectors, vectors.transpose(1, 2)).flatten(1)
        return self.top(torch.cat((bottom, dots.index_select(1, self.get_buffer("flat"))), dim=1))
