"""Where prices are published, and how each place is asked for those of one provider."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from planner.catalogue.document import decode
from planner.catalogue.prices.fetch import Fetcher, UnavailableError
from planner.errors import InputError, printable, unknown
from planner.schema.hardware import Provider

MOST = 200_000_000
"""Bytes of an unpacked archive."""
PAGES = 400
AT_ONCE = 12
"""Instances named in one question to Azure: an address has a length."""


@dataclass(frozen=True)
class Place:
    """A place that publishes prices."""

    name: str
    bases: tuple[str, ...]
    """Addresses, the next where the one before does not answer."""
    providers: dict[str, str]
    """Providers of the catalogue -> their names there."""
    fetch: Callable[[Fetcher, str, str, Provider], tuple[str, str]]
    """Text and the address that it is cited by, from base, name there and provider."""


def _skypilot(fetcher: Fetcher, base: str, name: str, _: Provider) -> tuple[str, str]:
    url = f"{base}/{name}/vms.csv"
    return decode(fetcher.get(url, ("text/plain", "text/csv", "octet-stream")), url, MOST), url


def _gpuhunt(fetcher: Fetcher, base: str, name: str, _: Provider) -> tuple[str, str]:
    version = fetcher.get(f"{base}/{name}/version", ("",)).decode("ascii", "replace").strip()
    if not version.replace("-", "").replace(".", "").isalnum() or len(version) > 60:
        raise InputError(f"'{printable(version)}' is not a version", where=f"{base}/{name}/version")
    url = f"{base}/{name}/{version}/catalog.zip"
    return _unpacked(fetcher.get(url, ("zip", "octet-stream")), f"{name}.csv", url), url


def _unpacked(raw: bytes, member: str, url: str) -> str:
    """One file of an archive, read in memory: no name in it becomes a path."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive, archive.open(member) as file:
            return decode(file.read(MOST + 1), f"{url} {member}", MOST)
    except KeyError:
        raise InputError(f"holds no {member}", where=url) from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise InputError(f"is not a zip archive: {printable(str(error), 80)}", where=url) from None


def _azure(fetcher: Fetcher, base: str, _: str, provider: Provider) -> tuple[str, str]:
    """Every price of the instances that the catalogue knows, a page after the other."""
    items: list[object] = []
    known = sorted(provider.instances)
    for start in range(0, len(known), AT_ONCE):
        wanted = " or ".join(f"armSkuName eq '{name}'" for name in known[start : start + AT_ONCE])
        asked = quote(f"serviceName eq 'Virtual Machines' and ({wanted})")
        url: str | None = f"{base}?$filter={asked}"
        for _page in range(PAGES):
            if not url:
                break
            page = _page_of(fetcher.get(url, ("json",)), url)
            items += page["Items"]
            url = page.get("NextPageLink")
            if url and (urlsplit(url).scheme, urlsplit(url).hostname) != (urlsplit(base).scheme, urlsplit(base).hostname):
                raise InputError("leads to another host for its next page", where=printable(base, 200))
        else:
            raise InputError(f"has more than {PAGES} pages", where=printable(base, 200))
    return json.dumps(items), base


def _page_of(raw: bytes, url: str) -> dict[str, Any]:
    try:
        page = json.loads(raw)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, dict) or not isinstance(page.get("Items"), list):
        raise InputError("is not a page of the Azure Retail Prices API", where=printable(url, 200))
    return page


PLACES = {
    "skypilot": Place(
        "SkyPilot catalog",
        (
            "https://raw.githubusercontent.com/skypilot-org/skypilot-catalog/master/catalogs/v8",
            "https://skypilot-catalog.s3.us-east-1.amazonaws.com/catalogs/v8",
        ),
        {id: id for id in ("aws", "azure", "gcp", "lambda", "nebius", "oci", "runpod")},
        _skypilot,
    ),
    "gpuhunt": Place(
        "gpuhunt catalog",
        ("https://dstack-gpu-pricing.s3.eu-west-1.amazonaws.com/v3",),
        {id: id for id in ("aws", "azure", "gcp", "nebius", "oci", "runpod")} | {"lambda": "lambdalabs"},
        _gpuhunt,
    ),
    "azure": Place("Azure Retail Prices API", ("https://prices.azure.com/api/retail/prices",), {"azure": "azure"}, _azure),
}


def download(fetcher: Fetcher, place: str, provider: Provider, base: str = "") -> tuple[str, str]:
    """The feed of a provider as text, and its address; ``base`` instead of the place's own."""
    found = PLACES[place]
    if provider.id not in found.providers:
        raise unknown(f"provider of the {found.name}", provider.id, found.providers)
    failure: UnavailableError | None = None
    for address in _addresses(found.bases, base):
        try:
            return found.fetch(fetcher, address, found.providers[provider.id], provider)
        except UnavailableError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _addresses(bases: Sequence[str], own: str) -> list[str]:
    if own and urlsplit(own).scheme not in ("http", "https"):
        raise InputError("is not an address like https://example.com/catalogs/v8", where=printable(own, 200))
    return [own.rstrip("/")] if own else list(bases)
