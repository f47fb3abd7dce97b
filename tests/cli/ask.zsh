# What zsh offers: the .zshrc of a shell on a terminal. In $ZDOTDIR, functions/ has the completion,
# and questions a command line each line. answers gets "? LINE" for each, and then its matches:
# "MATCH<tab>WHAT IS SHOWN".
PROMPT=
LISTMAX=100000
fpath=($ZDOTDIR/functions $fpath)
autoload -Uz compinit && compinit -u -D
zstyle ':completion:*' completer _complete
zstyle ':completion:*' insert-tab false

# Writes down what is added, but where _arguments and others only ask what would match.
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a matches shown
  local at=${@[(I)-d]} i
  (( at )) && shown=("${(@P)@[at+1]}")
  builtin compadd -A matches -D shown "$@"
  for ((i = 1; i <= $#matches; i++)); do
    print -r -- "$matches[i]"$'\t'"$shown[i]" >> $ZDOTDIR/answers
  done
  builtin compadd "$@"
}
leave_alone() { compstate[insert]= compstate[list]= }
comppostfuncs=(leave_alone)

zle-line-init() {
  local line
  for line in "${(@f)$(< $ZDOTDIR/questions)}"; do
    print -r -- "? $line" >> $ZDOTDIR/answers
    BUFFER=$line CURSOR=$#line
    comppostfuncs=(leave_alone)  # Used up each time.
    zle complete-word
  done
  BUFFER=exit
  zle accept-line
}
zle -N zle-line-init
