"""Ten list prices, to the cent, as their sellers publish them. Each was read in the source that is named beside it."""

from decimal import ROUND_HALF_UP, Decimal

import pytest

from planner.catalogue.profiles import Profiles

AWS = "AWS EC2 price list, Linux on demand, of 2026-07-20, in aws/karpenter-provider-aws at 1d927085"
AZURE = "Azure Retail Prices API of 2026-06-18, in Azure/karpenter-provider-azure at 352646f2"
GOOGLE = "Google Cloud Billing Catalog of 2026-07-30, in Cyclenerd/google-cloud-pricing-cost-calculator at fd66b26f, pricing.yml"
TPU = "Google Cloud TPU price list, in dstackai/gpuhunt at ad703ef4, src/gpuhunt/resources/tpu_pricing.json"
SKYPILOT = "the seller's price list, in skypilot-org/skypilot-catalog, catalogs/v8/{}/vms.csv"
PUBLISHED = [
    ("aws", "p5.48xlarge", "us-east-1", "on_demand", "55.04", AWS),
    ("aws", "trn1.32xlarge", "us-east-1", "on_demand", "21.50", AWS),
    ("aws", "inf2.48xlarge", "us-east-1", "on_demand", "12.98", AWS),
    ("aws", "f2.48xlarge", "us-east-1", "on_demand", "15.84", AWS),
    ("azure", "Standard_ND96isr_H100_v5", "eastus", "on_demand", "98.32", AZURE),
    ("azure", "Standard_NC24ads_A100_v4", "eastus", "on_demand", "3.67", AZURE),
    ("gcp", "a3-highgpu-8g", "us-central1", "on_demand", "88.49", GOOGLE),
    ("gcp", "a2-highgpu-1g", "us-central1", "reserved_3y", "1.29", GOOGLE),
    ("gcp", "tpu-v5e", "us-central1", "on_demand", "1.20", TPU),
    ("lambda", "gpu_8x_h100_sxm5", "us-east-1", "on_demand", "31.92", SKYPILOT.format("lambda")),
    ("nebius", "gpu-h200-sxm_8gpu-128vcpu-1600gb", "eu-north1", "on_demand", "28.00", SKYPILOT.format("nebius")),
    ("oci", "BM.GPU.H100.8", "", "on_demand", "80.00", SKYPILOT.format("oci")),
    ("runpod", "1x_A100-80GB_SECURE", "US", "on_demand", "1.39", SKYPILOT.format("runpod")),
]


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    return Profiles()


@pytest.mark.parametrize(("provider", "instance", "region", "term", "dollars", "source"), PUBLISHED, ids=lambda value: value[:24])
def test_a_published_price(
    provider: str, instance: str, region: str, term: str, dollars: str, source: str, profiles: Profiles
) -> None:
    (offer,) = [o for o in profiles.provider(provider).offers if (o.id, o.region) == (instance, region)]
    price = getattr(offer.prices, term)
    assert Decimal(repr(price.amount)).quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(dollars), source
    assert price.currency == "USD" and profiles.provider(provider).sources[price.source]
