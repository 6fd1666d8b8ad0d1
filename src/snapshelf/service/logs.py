"""Logs as JSON, one object a line; nothing of a picture or a key stands in them."""

import json
import logging
import time
import traceback
from typing import Any, TextIO

__all__ = ["LOGGER", "JsonFormatter", "log", "log_failure", "log_to"]

LOGGER = logging.getLogger("snapshelf.service")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time (UTC), level, event and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        written: dict[str, Any] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info is not None and record.exc_info[0] is not None:
            written["error"] = record.exc_info[0].__name__
        return json.dumps(written, default=str)


def log_to(stream: TextIO) -> None:
    """Write the service's and its server's log to a stream.

    Args:
        stream: Such as standard error.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    for name in ("snapshelf.service", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name != "uvicorn.error" else []
        logger.propagate = name == "uvicorn.error"
        logger.setLevel(logging.INFO if name == "snapshelf.service" else logging.WARNING)


def log(event: str, **fields: Any) -> None:
    """Log an event.

    Args:
        event: Its name.
        fields: What JSON can hold.
    """
    LOGGER.info(event, extra={"fields": fields})


def log_failure(request_id: str, error: BaseException) -> None:
    """Log an error that should not have been: its type and where it arose.

    Its message is left out, since it may quote what a client sent.
    """
    where = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    fields = {"request_id": request_id, "error": type(error).__name__, "where": where[-12:]}
    LOGGER.error("failure", extra={"fields": fields})
