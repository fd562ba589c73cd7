"""`attest serve`, `attest ui` and `attest up`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import Config, Data, Json
from app.cli.output import Output

SERVE_CODES = "Exit codes: 0 stopped; 2 wrong use; 3 port taken, data in use or a part missing."
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on.")]


def add_commands(root: typer.Typer) -> None:
    """Adds the commands of this file."""
    root.command("serve", epilog=SERVE_CODES)(serve)
    root.command("ui", epilog=SERVE_CODES)(ui)
    root.command("up", epilog=SERVE_CODES)(up)


def serve(
    host: Host = None, port: Port = None, data: Data = None, config: Config = None, as_json: Json = False
) -> None:
    """Run the REST API. With --json, its address is printed as JSON when it listens."""
    from app.serving import serve_api

    out = Output(as_json)
    services = _services(data, config, host, port)

    def ready(record) -> None:
        _announce(out, {"api": record.url})

    serve_api(services, ready)


def up(
    port: Port = None,
    ui_port: Annotated[int | None, typer.Option("--ui-port", min=1, max=65535, help="Page port.")] = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Run the REST API and the web page together."""
    from app.serving import local_url, serve_api, start_ui, token_for_ui

    out = Output(as_json)
    services = _services(data, config, None, port)
    page = services.settings.ui
    page_port = ui_port or page.port

    def ready(record):
        child = start_ui(services, record.url, token_for_ui(services, record.token), page_port)
        _announce(out, {"api": record.url, "ui": local_url(page.host, page_port)})
        return child

    serve_api(services, ready)


def ui(port: Port = None, data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Run the web page for an API that runs already."""
    from app.cli.backend import read_settings
    from app.server_record import find_server
    from app.services import Services
    from app.serving import end_on_sigterm, local_url, start_ui, stopped_at_end, token_for_ui
    from core.errors import ServiceError

    out = Output(as_json)
    services = Services(read_settings(data, config))
    page = services.settings.ui
    record = find_server(services.paths.server_record)
    if record is None:
        raise ServiceError(f"no API runs over {services.paths.root}", remedy="run: attest serve")
    page_port = port or page.port
    end_on_sigterm()
    child = start_ui(services, record.url, token_for_ui(services, record.token), page_port)
    with stopped_at_end(child):
        _announce(out, {"api": record.url, "ui": local_url(page.host, page_port)})
        try:
            code = child.wait()
        except KeyboardInterrupt:
            return
    if code:
        raise ServiceError(f"the web page ended with code {code}", remedy="see its messages above")


def _services(data: Path | None, config: Path | None, host: str | None, port: int | None):
    """Services with the flags laid over the settings. A server that others can reach gets
    its first key here."""
    from app.cli.backend import read_settings
    from app.keys import Role
    from app.origin_guard import is_loopback
    from app.services import Services

    settings = read_settings(data, config)
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    server = settings.server.model_copy(update=changes)
    services = Services(settings.model_copy(update={"server": server}))
    if not is_loopback(server.host) and not services.keys().any():
        key, _ = services.keys().create("admin", (), Role.ADMIN)
        # On stderr and never again: only its sha256 is kept.
        sys.stderr.write(f"API key of the user admin, shown only now: {key}\n")
    return services


def _announce(out: Output, addresses: dict[str, str]) -> None:
    if out.as_json:
        out.result(addresses)
    else:
        for what, url in addresses.items():
            out.line(f"{'API' if what == 'api' else 'Page'}: {url}")
        out.line("Stop with Ctrl-C.")
    sys.stdout.flush()
