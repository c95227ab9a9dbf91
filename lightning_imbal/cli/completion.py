"""`lightning_imbal completion`: prints the code by which a shell completes command lines of this program."""

from lightning_imbal.cli.parts.completion import complete
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean

WORDS = "words"  # what the code below asks for
BASH = """\
_lightning_imbal() {
    local IFS=$'\\n'
    COMPREPLY=($("${COMP_WORDS[0]}" completion words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[./=] ]] && compopt -o nospace
}
complete -o default -F _lightning_imbal lightning_imbal
"""
ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
_lightning_imbal() {
    local -a found
    found=(${(f)"$("${words[1]}" completion words "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    (( $#found )) || { _files; return; }
    compadd -S '' -- ${(M)found:#*[./=]}
    compadd -- ${found:#*[./=]}
}
compdef _lightning_imbal lightning_imbal
"""
FISH = """\
complete -c lightning_imbal -a '(lightning_imbal completion words (commandline -opc)[2..] (commandline -ct))'
"""
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
HELP = """\
usage: lightning_imbal completion bash | zsh | fish
Prints the code by which a shell completes verbs, files, options and classes at the TAB key.
bash: eval "$(lightning_imbal completion bash)" in ~/.bashrc
zsh:  eval "$(lightning_imbal completion zsh)" in ~/.zshrc
fish: lightning_imbal completion fish | source, in ~/.config/fish/config.fish
"""


def run(args: list[str]) -> int:
    """Runs `completion` and returns the exit status 0."""
    shell, *words = args[1:] or ["--help"]
    if shell == WORDS:
        print("\n".join(complete(words)))
    elif shell in ("-h", "--help"):
        print(HELP, end="")
    elif shell in SHELLS:
        print(SHELLS[shell], end="")
    else:
        hint = did_you_mean(shell, SHELLS) or f"choose from {', '.join(SHELLS)}."
        raise UserError(f"There is no completion for {shell!r}: {hint}")
    return 0
