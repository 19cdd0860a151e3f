"""Networks that describe what an image shows: points of interest, places, faces."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from published_networks.layers import Each, Job, Maps, basic, chain, conv, inverted, plain, separable


def _superpoint() -> nn.Module:
    """SuperPoint (arXiv:1712.07629)."""
    pool = nn.MaxPool2d(2)
    body = (chain(1, 64, 64), pool, chain(64, 64, 64), pool, chain(64, 128, 128), pool, chain(128, 128, 128))
    return nn.Sequential(*body, Each(*(nn.Sequential(conv(128, 256), plain(256, o, 1)) for o in (65, 256))))


class _HFNet(nn.Module):
    """HF-Net (arXiv:1812.03506; ethz-asl/hfnet hfnet/models/hf_net.py), three quarters as wide, 32 clusters, 4096 outputs.

    The host aggregates the clusters between the DPU's two parts (samples/dpu_task/hfnet/hfnet.cpp).
    """

    LOCAL = ((24, 2), (24, 1), (24, 2), (48, 1), (96, 1))
    GLOBAL = ((48, 2), *[(48, 1)] * 3, *[(72, 1)] * 3, (120, 2), (120, 1), (120, 1), (240, 1))
    CLUSTERS = 32

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Sequential(conv(1, 24, 3, 2, nn.ReLU6), separable(24, 16, last=None), *self._blocks(16, self.LOCAL))
        self.rest = nn.Sequential(*self._blocks(96, self.GLOBAL))
        self.local = Each(*(nn.Sequential(conv(96, m, act=nn.ReLU6), plain(m, o, 1)) for m, o in ((256, 256), (128, 65))))
        self.member, self.reduce = plain(240, self.CLUSTERS, 1), nn.Linear(240 * self.CLUSTERS, 4096)
        self.centres = nn.Parameter(torch.empty(1, self.CLUSTERS, 240))

    @staticmethod
    def _blocks(i: int, rows: tuple[tuple[int, int], ...]) -> Iterable[nn.Module]:
        return (inverted(i, o, s) for (i, _), (o, s) in pairwise(((i, 1), *rows)))

    def forward(self, x: Tensor) -> Maps:
        local = self.start(x)
        features = self.rest(local)
        share = self.member(features).flatten(2).softmax(1)
        clusters = share @ features.flatten(2).transpose(1, 2) - share.sum(2, keepdim=True) * self.centres
        return [*self.local(local), self.reduce(functional.normalize(clusters, dim=2).flatten(1))]


def _sphereface() -> nn.Module:
    """SphereFace of 20 layers (arXiv:1704.08063; Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/PyTorch/
    pt_facerec-resnet20_mixed_112_96_3.5G_1.3/code/models/face_model.py).
    """
    widths = zip(pairwise((3, 64, 128, 256, 512)), (1, 2, 4, 1), strict=True)
    body = (nn.Sequential(conv(i, o, s=2), *(basic(o, o) for _ in range(count))) for (i, o), count in widths)
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(512 * 7 * 6, 512))


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input."""
    yield "paper/superpoint", _superpoint, (1, 1, 480, 640)
    yield "paper/hfnet", _HFNet, (1, 1, 960, 960)
    yield "paper/facerec_resnet20", _sphereface, (1, 3, 112, 96)
