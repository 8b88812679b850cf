"""``haulage completion``: what makes a shell complete commands and options, made from the commands themselves. Knows no noun."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Literal

from cyclopts import App, Parameter

Shell = Literal["bash", "zsh", "fish"]


def completion_of(all_commands: Callable[[], App]) -> Callable[..., None]:
    """The command, for the commands that are all there when it runs."""

    def completion(shell: Annotated[Shell, Parameter(help="For which shell.")], /) -> None:
        """Print a completion script: commands, options, and the words an option takes.

        haulage completion bash > /usr/share/bash-completion/completions/haulage

        haulage completion zsh > /usr/local/share/zsh/site-functions/_haulage

        haulage completion fish > ~/.config/fish/completions/haulage.fish
        """
        sys.stdout.write(all_commands().generate_completion(prog_name="haulage", shell=shell).rstrip("\n") + "\n")

    return completion
