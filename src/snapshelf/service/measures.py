"""What is measured of a service, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Measures"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
CLIP_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
ITEMS = (1, 2, 4, 8, 16, 32, 64)


class Measures:
    """The measures of one service; two in a process do not mix.

    Attributes:
        requests: Seconds of whole requests, by route, method and status.
        stages: Seconds of the stages of searches, by stage.
        batches: Items that the encoder took at once.
        in_work: Searches taken in.
        refused: Requests refused, by kind of problem.
        cache: Look-ups of answers, by outcome: ``exact``, ``near`` or ``miss``.
        clips_in_work: Clips taken in.
        clip_seconds: Seconds from a clip's arrival to its job's end, by outcome.
        writes: Products changed, by status.
        errors: Failures, by type.
        products: Products of the shelf, as of the last look.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "snapshelf_request_seconds",
            "Whole requests",
            ("route", "method", "status"),
            registry=self.registry,
            buckets=SECONDS,
        )
        self.stages = Histogram(
            "snapshelf_stage_seconds",
            "Stages of searches",
            ("stage",),
            registry=self.registry,
            buckets=SECONDS,
        )
        self.batches = Histogram(
            "snapshelf_batch_items",
            "Items that the encoder took at once",
            registry=self.registry,
            buckets=ITEMS,
        )
        self.in_work = Gauge(
            "snapshelf_queue_searches",
            "Searches taken in, waiting or under way",
            registry=self.registry,
        )
        self.refused = Counter(
            "snapshelf_refused", "Requests refused", ("kind",), registry=self.registry
        )
        self.cache = Counter(
            "snapshelf_cache_lookups",
            "Look-ups in the cache of answers",
            ("outcome",),
            registry=self.registry,
        )
        self.clips_in_work = Gauge(
            "snapshelf_queue_clips",
            "Clips taken in: arriving, waiting or under way",
            registry=self.registry,
        )
        self.clip_seconds = Histogram(
            "snapshelf_clip_seconds",
            "Clips, from their arrival to the end of their search",
            ("outcome",),
            registry=self.registry,
            buckets=CLIP_SECONDS,
        )
        self.writes = Counter(
            "snapshelf_product_changes", "Products changed", ("status",), registry=self.registry
        )
        self.errors = Counter("snapshelf_errors", "Failures", ("type",), registry=self.registry)
        self.products = Gauge(
            "snapshelf_shelf_products", "Products of the shelf", registry=self.registry
        )

    def text(self) -> bytes:
        """Write the measures in Prometheus's text format."""
        return generate_latest(self.registry)
