"""Examples of what is sent and answered, by the names that the OpenAPI document gives them."""

from collections.abc import Mapping
from typing import Any

__all__ = ["BASE64", "EXAMPLES"]

BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
"""A picture of one red pixel."""

REQUEST = "5f0c8a2b9d3e4f60"
JOB = "kq3J0mRkq3J0mRkq3J0mR0aB"
CLIP_JOB = "9f2c1e5a7b3d4068ac1d2e3f4a5b6c7d"

SHOWN = {
    "id": "SKU-0042",
    "title": "Canvas sneaker, red",
    "category": "Apparel > Shoes",
    "brand": "Acme",
    "price": "49.90 EUR",
    "url": "https://shop.example/SKU-0042",
    "image": "https://shop.example/SKU-0042.jpg",
}
PICTURE = "/v1/products/SKU-0042/images/0"

SEARCHED = {
    "items": [
        {
            "item": {"box": [10.0, 20.0, 200.0, 300.0], "label": "shoe"},
            "matches": [
                {
                    "rank": 1,
                    "product": SHOWN,
                    "similarity": 0.83,
                    "confidence": 0.91,
                    "evidence": {},
                    "picture": PICTURE,
                    "region": [4.0, 12.0, 396.0, 280.0],
                }
            ],
            "in_catalogue": True,
        }
    ],
    "size": [640, 480],
    "seconds": {"decode": 0.004, "locate": 0.01, "encode": 0.012, "search": 0.001},
    "cached": None,
    "request_id": REQUEST,
}

LISTED = {**SHOWN, "picture": PICTURE, "pictures": 2}

GROUPS = {
    "least": 0.95,
    "compared": 5000,
    "groups": [
        {
            "similarity": 0.99,
            "products": [
                {
                    "product": LISTED,
                    "similarity": 0.99,
                    "like": {"id": "SKU-0043", "image": "https://shop.example/SKU-0043.jpg"},
                    "same_picture": True,
                },
                {
                    "product": {**LISTED, "id": "SKU-0043"},
                    "similarity": 0.99,
                    "like": {"id": "SKU-0042", "image": SHOWN["image"]},
                    "same_picture": True,
                },
            ],
        }
    ],
    "left_out": 0,
}

ANNOTATED = {
    "pictures": 12,
    "items": 17,
    "skipped": 1,
    "lines": f"/v1/annotations/{JOB}.jsonl",
}

WORK = {
    "id": JOB,
    "status": "running",
    "progress": 0.42,
    "url": f"/v1/annotations/{JOB}",
    "so_far": {"pictures": 5, "of": 12, "skipped": 0},
    "result": None,
    "error": None,
}

EXAMPLES: Mapping[str, Any] = {
    "SearchBody": {"picture": BASE64, "top": 5, "filter": "price<80"},
    "DetectBody": {"picture": BASE64},
    "SearchAnswer": SEARCHED,
    "DetectAnswer": {
        "items": [{"box": [10.0, 20.0, 200.0, 300.0], "label": "shoe", "confidence": 0.97}],
        "size": [640, 480],
        "seconds": {"decode": 0.004, "locate": 0.01},
        "request_id": REQUEST,
    },
    "JobStarted": {
        "job": {
            "id": CLIP_JOB,
            "status": "queued",
            "url": f"/v1/jobs/{CLIP_JOB}",
            "events": f"/v1/jobs/{CLIP_JOB}/events",
        },
        "request_id": REQUEST,
    },
    "JobAnswer": {
        "id": CLIP_JOB,
        "status": "running",
        "progress": 0.42,
        "error": None,
        "result": None,
    },
    "ListAnswer": {"products": [LISTED], "next": "U0tVLTAwNDI", "total": 5000},
    "ProductAnswer": {
        **{name: value for name, value in SHOWN.items() if name != "image"},
        "description": "Vulcanised sole.",
        "availability": "in stock",
        "images": [{"source": SHOWN["image"], "href": PICTURE}],
        "attributes": {"colour": "red"},
    },
    "SimilarAnswer": {
        "matches": [{"rank": 1, "product": SHOWN, "similarity": 0.83, "picture": PICTURE}]
    },
    "ChangedProduct": {"id": "SKU-0042", "status": "stored", "problems": []},
    "BatchAnswer": {
        "items": [
            {"id": "SKU-0042", "status": "created", "problems": []},
            {"id": "SKU-0043", "status": "refused", "problems": ["images: is missing"]},
            {"id": "SKU-0007", "status": "deleted", "problems": []},
        ]
    },
    "ShelfAnswer": {
        "system": "standard",
        "fingerprint": "9c1f04be77a2d8e0",
        "version": "41",
        "counts": {"products": 5000, "pictures": 12_000, "embeddings": 12_000},
        "last_run": {
            "feed": "feed.csv",
            "started": "2026-01-31T06:00:00+00:00",
            "finished": "2026-01-31T06:04:10+00:00",
        },
    },
    "FacetsAnswer": {
        "products": 5000,
        "categories": [{"category": "Apparel > Shoes", "products": 800, "example": "SKU-0042"}],
        "brands": [{"brand": "Acme", "products": 300}],
        "prices": [{"currency": "EUR", "products": 5000, "least": 4.9, "most": 899.0}],
    },
    "EventAnswer": {"kept": True},
    "Health": {"status": "ok"},
    "PassAnswer": {"pass": "1770000000.Yk3v", "seconds": 5400},
    "SessionAnswer": {"scope": "read", "seconds": 43_200},
    "DuplicatesAnswer": GROUPS,
    "WorkState": {**WORK, "status": "done", "progress": 1.0, "result": ANNOTATED},
    "WorkAnswer": {"job": WORK},
    "LatestAnswer": {"job": WORK},
}
"""Of each body and answer that has none beside its fields."""
