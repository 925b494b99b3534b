"""`bptrain completion`: the script that makes a shell complete bptrain's commands."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

# Each passes the words on and reads one candidate per line; if there is none, files are offered.
BASH = r"""
_bptrain_completion() {
    local IFS=$'\n'
    COMPREPLY=($(_BPTRAIN_COMPLETE=bash "$1" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -o default -F _bptrain_completion bptrain
"""
ZSH = r"""
#compdef bptrain
_bptrain() {
    local line word
    local -a values displays
    for line in "${(@f)$(_BPTRAIN_COMPLETE=zsh "${words[1]}" "${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        word=${line%%$'\t'*}
        values+=("$word")
        if [[ $line == *$'\t'* ]]; then displays+=("$word -- ${line#*$'\t'}"); else displays+=("$word"); fi
    done
    if (( ! ${#values} )); then _files
    elif [[ ${values[1]} == *= ]]; then compadd -S '' -d displays -a values
    else compadd -l -d displays -a values; fi
}
if [[ $funcstack[1] == _bptrain ]]; then _bptrain "$@"; else compdef _bptrain bptrain; fi
"""
FISH = r"""
function __bptrain_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (env _BPTRAIN_COMPLETE=fish $words[1] $words 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c bptrain -f -a '(__bptrain_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@command("completion", "Print the completion script for your shell.", notes=False)
def completion_command(
    screen: "Screen",
    shell: Annotated[
        Literal["bash", "zsh", "fish"],
        typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False),
    ],
) -> None:
    """Print the script that completes commands, config keys, parts and runs in your shell.

    \b
    Examples:
      eval "$(bptrain completion bash)"      # in ~/.bashrc
      eval "$(bptrain completion zsh)"       # in ~/.zshrc, after compinit
      bptrain completion fish > ~/.config/fish/completions/bptrain.fish
    """
    script = SCRIPTS[shell].strip()
    screen.text(script)
    screen.record({"shell": shell, "script": script})
