"""Networks of several inputs, or only a part of a library's module, as modules that take plain tensors: see README.md."""

import torch
from torch import Tensor, nn

from planner.measure.importing import declare

declare("torchvision")
REGISTER = nn.Module.register_parameter


class SdxlUnet(nn.Module):
    """Stable Diffusion XL base 1.0: one pass of its UNet over a latent of 128 × 128, which is an image of 1024 × 1024."""

    def __init__(self) -> None:
        super().__init__()
        from diffusers import UNet2DConditionModel

        self.net = UNet2DConditionModel(
            act_fn="silu", addition_embed_type="text_time", addition_time_embed_dim=256, attention_head_dim=[5, 10, 20],
            block_out_channels=[320, 640, 1280], center_input_sample=False, cross_attention_dim=2048,
            down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], in_channels=4, layers_per_block=2,
            out_channels=4, projection_class_embeddings_input_dim=2816, sample_size=128, transformer_layers_per_block=[1, 2, 10],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], use_linear_projection=True,
        )  # fmt: skip

    def forward(self, latent: Tensor, text: Tensor, pooled: Tensor, times: Tensor) -> Tensor:
        """latent (1, 4, 128, 128), text (1, 77, 2048), pooled (1, 1280), times (1, 6)."""
        more = {"text_embeds": pooled, "time_ids": times}
        return self.net(latent, torch.ones(1), text, added_cond_kwargs=more, return_dict=False)[0]


class SdxlDecoder(nn.Module):
    """Stable Diffusion XL base 1.0: the decoder of its autoencoder."""

    def __init__(self) -> None:
        super().__init__()
        from diffusers import AutoencoderKL

        self.net = AutoencoderKL(
            in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
            block_out_channels=[128, 256, 512, 512], layers_per_block=2, act_fn="silu", latent_channels=4, norm_num_groups=32,
            sample_size=1024,
        )  # fmt: skip
        self.net.encoder = self.net.quant_conv = None

    def forward(self, latent: Tensor) -> Tensor:
        """latent (1, 4, 128, 128)."""
        return self.net.decoder(self.net.post_quant_conv(latent))


class Yolo(nn.Module):
    """YOLOv8 of a size (n, s, m, l, x), 80 classes, boxes decoded."""

    def __init__(self, size: str = "n") -> None:
        super().__init__()
        from ultralytics.nn.tasks import DetectionModel

        without, nn.Module.register_parameter = nn.Module.register_parameter, REGISTER
        try:  # it runs once when it is built, on weights that must be there
            self.net = DetectionModel(f"yolov8{size}.yaml", ch=3, nc=80, verbose=False).eval()
        finally:
            nn.Module.register_parameter = without
        self.net.model[-1].stride = [8.0, 16.0, 32.0]

    def forward(self, image: Tensor) -> Tensor:
        """image (1, 3, 640, 640)."""
        return self.net(image)


class Retina(nn.Module):
    """RetinaNet of MLPerf: ResNeXt-50 32x4d, a pyramid of five levels, and heads for 264 classes; boxes are not decoded."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models.detection import retinanet_resnet50_fpn
        from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
        from torchvision.ops.feature_pyramid_network import LastLevelP6P7

        self.net = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=264)
        self.net.backbone = resnet_fpn_backbone(
            backbone_name="resnext50_32x4d", weights=None, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256),
            trainable_layers=5,
        )  # fmt: skip

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """image (1, 3, 800, 800)."""
        return self.net.head(list(self.net.backbone(image).values()))
