"""What uvicorn's connections lack: a bound on headers that come slowly, and word of the end."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["prompt_protocol"]


def prompt_protocol(headers_s: float) -> type[H11Protocol]:
    """Make the server's protocol; a thousand silent connections would be all that there are.

    Args:
        headers_s: Seconds from the connection, or from the first byte of a further request on
            it, to the end of the request's headers.

    Returns:
        A protocol for `uvicorn.Config`.
    """

    class PromptProtocol(H11Protocol):
        """Closes a connection whose headers do not come in time.

        When the server begins to stop, it sets the event ``stopping`` of the application's state.
        """

        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def shutdown(self) -> None:
            stopping = self.app_state.get("stopping")
            if isinstance(stopping, asyncio.Event):
                stopping.set()
            super().shutdown()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _watch(self) -> None:
            if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
                self._forget()
            elif self._late is None:
                self._late = self.loop.call_later(headers_s, self._give_up)

        def _forget(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _give_up(self) -> None:
            self._late = None
            if self.conn.their_state is h11.IDLE:
                self.timeout_keep_alive_handler()

    return PromptProtocol
