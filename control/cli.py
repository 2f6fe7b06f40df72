"""The ``hairpin`` command.

Data goes to standard output, progress to standard error. Exit codes: 0 good, 1 something failed (the
devices differ, something essential is missing), 2 used wrongly (an option, a configuration). Heavy imports
wait until they are needed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from control import VERSION

if TYPE_CHECKING:
    from control.configuration import Configuration

FAILED, USED_WRONGLY = 1, 2

app = typer.Typer(
    help="Hairpin: a tick goes in, an order comes out, on the same card.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
config_app = typer.Typer(help="Look at and check a configuration.", no_args_is_help=True)
app.add_typer(config_app, name="config")
journal_app = typer.Typer(help="Look at and check the journal of a state folder.", no_args_is_help=True)
app.add_typer(journal_app, name="journal")

PIPE_COLUMNS = 140

out, err = Console(), Console(stderr=True)
if not out.is_terminal:
    out.width = PIPE_COLUMNS  # a file has room for whole tables

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML file; without it hairpin.toml, where that is there.", metavar="FILE"),
]
InputOption = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        metavar="synthetic|FILE",
        help="Market data: made from the seed, or ITCH 5.0 BinaryFILE (.gz too), LOBSTER (.csv, .zip), pcap.",
    ),
]
SymbolsOption = Annotated[
    str | None, typer.Option("--symbols", "-s", metavar="AMZN,AAPL", help="Stocks to follow and quote.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="What everything random starts from.")]
MessagesOption = Annotated[
    int | None, typer.Option("--messages", "-n", help="Messages of the market; 0: all of a file.")
]
JournalArgument = Annotated[Path, typer.Argument(help="Folder of the journal: build/state/journal.", metavar="PATH")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
SpeedOption = Annotated[str | None, typer.Option("--speed", metavar="X", help="Seconds of the market per second.")]


def fail(text: str, code: int = FAILED) -> NoReturn:
    """Say what went wrong and end."""
    err.print(f"[bold red]hairpin:[/] {_plain(text)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def configuration(
    file: Path | None,
    *,
    source: str | None = None,
    symbols: str | None = None,
    seed: int | None = None,
    messages: int | None = None,
    speed: str | None = None,
    serve: dict[str, Any] | None = None,
    replication: dict[str, Any] | None = None,
) -> Configuration:
    """The configuration with the flags laid over it; ends the program where it can't be used."""
    from control.layers import ConfigurationError, load

    given = {"source": source, "symbols": symbols, "seed": seed, "messages": messages, "speed": speed}
    try:
        return load(file, flags={"input": given, "serve": serve or {}, "replication": replication or {}})
    except ConfigurationError as error:
        fail(str(error), USED_WRONGLY)


@app.command()
def run(
    device: Annotated[
        Literal["software", "twin", "both"],
        typer.Option("--device", "-d", help="The engine, the simulated card, or both and whether they agree."),
    ] = "software",
    source: InputOption = None,
    symbols: SymbolsOption = None,
    config: ConfigOption = None,
    seed: SeedOption = None,
    messages: MessagesOption = None,
    json: JsonOption = False,
    report: Annotated[Path, typer.Option(help="Where the HTML page goes.", metavar="FILE.html")] = Path(
        "build/report.html"
    ),
    page: Annotated[bool, typer.Option("--page/--no-page", help="Whether there is an HTML page.")] = True,
    pcap: Annotated[
        Path | None, typer.Option(help="Write every packet, both ways, to this file.", metavar="FILE.pcap")
    ] = None,
    waveform: Annotated[
        Path | None,
        typer.Option(help="Write every signal of the simulated card to this file; for short runs.", metavar="FILE.fst"),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="A live screen, where standard error is a terminal.")
    ] = True,
) -> None:
    """Market data in, orders out, and a report of what happened."""
    chosen = configuration(config, source=source, symbols=symbols, seed=seed, messages=messages)
    from control.run import RunError, execute
    from control.screen import Lines, Screen

    if waveform is not None and device == "software":
        fail("--waveform is about the simulated card: it goes with --device twin or both", USED_WRONGLY)
    names: tuple[Literal["software", "twin"], ...] = ("software", "twin") if device == "both" else (device,)
    screen = Screen(err) if live and err.is_terminal else None
    try:
        result = execute(chosen, names, screen or Lines(err), pcap=pcap, waveform=waveform)
    except RunError as error:
        fail(str(error), USED_WRONGLY if error.used_wrongly else FAILED)
    except KeyboardInterrupt:
        fail("interrupted")
    finally:
        if screen is not None:
            screen.close()
    if page:
        from control.page import render

        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(render(result.report, result.series))
    if json:
        from control.report import to_json

        sys.stdout.buffer.write(to_json(result.report))
        sys.stdout.buffer.flush()
    else:
        from control.text import show

        show(result.report, out)
    if page:
        err.print(f"\npage: {report}", highlight=False)
    if not result.report.good:
        raise typer.Exit(FAILED)


@app.command()
def serve(
    device: Annotated[
        Literal["software", "twin", "pair"],
        typer.Option("--device", "-d", help="The engine, the simulated card, or the card with the engine as its shadow."),
    ] = "software",
    source: InputOption = None,
    symbols: SymbolsOption = None,
    config: ConfigOption = None,
    seed: SeedOption = None,
    speed: SpeedOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0: any free one.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder of token, journal and FIX stores.", metavar="DIR")] = None,
) -> None:
    """Trade against the demo market, commanded over REST and WebSocket."""
    chosen = configuration(
        config,
        source=source,
        symbols=symbols,
        seed=seed,
        speed=speed,
        serve={"host": host, "port": port, "state": state},
    )
    from control.run import RunError
    from control.server import serve as start

    try:
        start(chosen, device, out, err)
    except RunError as error:
        fail(str(error), USED_WRONGLY if error.used_wrongly else FAILED)
    except (OSError, ValueError) as error:
        fail(str(error))


@app.command()
def exchange(
    file: Annotated[
        Path | None, typer.Argument(help="TOML file with venues; without it one venue with two order ports.", metavar="FILE")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="The whole day at once, without sockets: the same result every time.")
    ] = False,
    seconds: Annotated[float | None, typer.Option(help="End after so long; without it, when the day is over.")] = None,
    processes: Annotated[bool, typer.Option("--processes", help="A process of its own for each venue.")] = False,
    json: JsonOption = False,
) -> None:
    """An exchange to trade against: matching engine, ITCH feeds, OUCH and FIX order ports."""
    from control.exchange import show
    from sim.exchange.config import ConfigError, load

    try:
        chosen = load(file)
    except ConfigError as error:
        fail(str(error), USED_WRONGLY)
    try:
        show(chosen, out, err, offline=offline, seconds=seconds, processes=processes, json=json)
    except (OSError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted")


@app.command()
def faults(
    seeds: Annotated[int, typer.Option("--seeds", "-n", min=1, help="How many.")] = 20,
    first: Annotated[int, typer.Option(help="The first of them.", min=0)] = 1,
    processes: Annotated[int | None, typer.Option("--processes", "-p", min=1, help="At once; without it, one a core.")] = None,
    json: JsonOption = False,
) -> None:
    """A whole site, faults of every kind from seeds, and whether anything was lost or a limit broken."""
    from control.rehearsal.campaign import show

    try:
        good = show(range(first, first + seeds), processes, out, err, json=json)
    except KeyboardInterrupt:
        fail("interrupted")
    if not good:
        raise typer.Exit(FAILED)


@app.command()
def standby(
    journal: Annotated[Path, typer.Option("--journal", help="Folder of the journal; made if it is not there.", metavar="DIR")],
    nats: Annotated[
        list[str] | None, typer.Option("--nats", help="A server of the stream; once for each.", metavar="URL")
    ] = None,
    stream: Annotated[str | None, typer.Option("--stream", help="The journal's stream.", metavar="NAME")] = None,
    take: Annotated[bool, typer.Option("--promote", help="Become primary, and end, when the lease is free.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Take the lease from a silent primary of mode local: you know that it is dead."),
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go without what the primary acknowledged and nobody else has.")
    ] = False,
    every: Annotated[float, typer.Option("--every", help="Seconds between two lines.")] = 1.0,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Follow a primary's journal; take its place when it is gone."""
    given = {"servers": nats or None, "stream": stream}
    chosen = configuration(config, replication=given)
    from control.failover.standby import show
    from control.store import JournalError

    if (force or accept_loss) and not take:
        fail("--force and --accept-loss are about a promotion: they go with --promote", USED_WRONGLY)
    try:
        show(
            journal, chosen.replication, out, err,
            take=take, force=force, accept_loss=accept_loss, seconds=every, json=json,
        )  # fmt: skip
    except JournalError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted")


@app.command()
def doctor(json: JsonOption = False) -> None:
    """What is installed, what is missing, and what to do about it."""
    from control.doctor import State, as_json, examine

    findings = []
    marks = {State.GOOD: "[green]✓[/]", State.OPTIONAL: "[yellow]–[/]", State.MISSING: "[red]✗[/]"}
    for each in examine():
        findings.append(each)
        if not json:
            out.print(f"{marks[each.state]} [bold]{each.name:<20}[/] {_plain(each.detail)}", highlight=False)
            if each.state is not State.GOOD:
                out.print(f"  {'':<20} [dim]for {each.needed_for}:[/] {_plain(each.remedy)}", highlight=False)
    told = as_json(findings)
    if json:
        import orjson

        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    if not told["ok"]:
        raise typer.Exit(FAILED)


@app.command()
def version(json: JsonOption = False) -> None:
    """Which Hairpin this is."""
    if json:
        import orjson

        sys.stdout.buffer.write(orjson.dumps({"version": VERSION}) + b"\n")
    else:
        out.print(f"hairpin {VERSION}", highlight=False)


@config_app.command("show")
def config_show(config: ConfigOption = None, json: JsonOption = False) -> None:
    """The whole configuration as it would be used, as TOML that can be read again."""
    chosen = configuration(config)
    if json:
        import orjson

        dumped = chosen.model_dump(mode="json", by_alias=True)
        sys.stdout.buffer.write(orjson.dumps(dumped, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        from control.toml import to_toml

        sys.stdout.write(to_toml(chosen))


@config_app.command("check")
def config_check(
    config: Annotated[Path, typer.Argument(help="TOML file.", metavar="FILE")],
) -> None:
    """Whether a file can be used: exit code 0, or 2 with file, line, key and reason of every mistake."""
    configuration(config)
    err.print(f"{config}: good", highlight=False)


@config_app.command("schema")
def config_schema() -> None:
    """The JSON Schema of the configuration, for editors."""
    import orjson

    from control.configuration import Configuration

    schema = Configuration.model_json_schema(by_alias=True)
    sys.stdout.buffer.write(orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


@journal_app.command("show")
def journal_show(
    path: JournalArgument,
    first: Annotated[int, typer.Option(help="Number of the first entry.")] = 1,
    last: Annotated[int | None, typer.Option(help="Number of the last entry; without it, the newest.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """The entries of a journal, also while it is written."""
    from control.journal import show
    from control.store import JournalError

    try:
        show(path, out, first=first, last=last, json=json)
    except (OSError, JournalError) as error:
        fail(str(error), USED_WRONGLY if isinstance(error, FileNotFoundError) else FAILED)


@journal_app.command("verify")
def journal_verify(path: JournalArgument, json: JsonOption = False) -> None:
    """Whether every record is there as it was written: exit code 0, or 1 with the place of the first that is not."""
    from control.journal import tell, verify

    try:
        verdict = verify(path)
    except OSError as error:
        fail(str(error), USED_WRONGLY)
    tell(verdict, out, json=json)
    if not verdict.good:
        raise typer.Exit(FAILED)


def main() -> None:
    """Called by ``python -m control.cli``."""
    app()


if __name__ == "__main__":
    main()
