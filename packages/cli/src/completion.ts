import { type Command, type CommandTable, type Flag, flagsOf } from './command-line.js'

export type Shell = 'bash' | 'zsh' | 'fish'

/** A script that makes a shell complete a command line: commands, flags, their values, and the ids of containers. */
export function completion(table: CommandTable, shell: Shell): string {
  return { bash, zsh, fish }[shell](table)
}

const shown = <T extends { readonly internal?: boolean }>(list: readonly T[]): readonly T[] =>
  list.filter(({ internal }) => !internal)

const words = ({ name, short }: Flag): string[] => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]

/** What may stand in the place of the operands, where that is known. */
const choices = ({ operands = '' }: Command): string[] =>
  /^[a-z]+(\|[a-z]+)+$/.test(operands) ? operands.split('|') : []

/** What is asked for the ids: only the state root counts. */
const ids = ({ name }: CommandTable): string => `${name} \${root:+--root "$root"} list --quiet 2>/dev/null`

function bash(table: CommandTable): string {
  const { name } = table
  const commands = shown(table.commands)
  const values = (flags: readonly Flag[]): string[] =>
    flags
      .filter(({ value }) => value !== undefined)
      .map(flag => `      ${words(flag).join('|')}) ${bashValue(flag)}; return ;;`)
  const cases = commands.map(command => {
    const flags = shown(flagsOf(table, command))
    const operands = command.onContainer ? `$(${ids(table)})` : choices(command).join(' ')
    return [
      `    ${command.name})`,
      '      case $previous in',
      ...values(command.flags).map(line => `  ${line}`),
      '      esac',
      `      flags="${flags.flatMap(words).join(' ')}"`,
      ...(operands === '' ? [] : [`      operands="${operands}"`]),
      '      ;;',
    ].join('\n')
  })
  return `# bash completion of ${name}: source <(${name} completion bash)
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= root= flags= operands= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${
        table.flags
          .filter(({ value }) => value !== undefined)
          .flatMap(words)
          .join('|') || "''"
      })
        [[ \${COMP_WORDS[i]} == --root ]] && root=\${COMP_WORDS[i+1]}
        ((i++))
        ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  COMPREPLY=()
  case $command in
    '')
      case $previous in
${values(table.flags)
  .map(line => `  ${line}`)
  .join('\n')}
      esac
      flags="${shown(table.flags).flatMap(words).join(' ')}"
      operands="${commands.map(({ name }) => name).join(' ')}"
      ;;
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$operands" -- "$current"))
  fi
}
complete -F _${name} ${name}
`
}

function bashValue({ choices, path }: Flag): string {
  if (choices !== undefined) return `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current"))`
  if (path === undefined) return 'COMPREPLY=()'
  return `compopt -o filenames; COMPREPLY=($(compgen ${path === 'directory' ? '-d' : '-f'} -- "$current"))`
}

/** In single quotes for _arguments, where brackets and colons mean something. */
const zshText = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''")

function zshFlag(flag: Flag): string[] {
  const value = flag.value === undefined ? '' : `:${zshText(flag.value)}:${zshValue(flag)}`
  return words(flag).map(word => `'${flag.repeats ? '*' : ''}${word}[${zshText(flag.about)}]${value}'`)
}

function zshValue({ choices, path }: Flag): string {
  if (choices !== undefined) return `(${choices.join(' ')})`
  if (path === undefined) return ' '
  return path === 'directory' ? '_files -/' : '_files'
}

function zsh(table: CommandTable): string {
  const { name } = table
  const commands = shown(table.commands)
  const cases = commands.map(command => {
    const flags = shown(flagsOf(table, command)).flatMap(zshFlag)
    const known = choices(command)
    const operand = command.onContainer
      ? [`'1:container:_${name}_ids'`]
      : known.length > 0
        ? [`'1:operand:(${known.join(' ')})'`]
        : []
    const rest = command.runsProgram ? ["'*::program:_normal'"] : []
    return `    ${command.name}) _arguments -S ${[...flags, ...operand, ...rest].join(' ')} ;;`
  })
  return `#compdef ${name}
# zsh completion of ${name}: source <(${name} completion zsh)
_${name}_ids() {
  local root=\${opt_args[--root]:-$_${name}_root}
  compadd -- \${(f)"$(${ids(table)})"}
}
_${name}() {
  local context state line curcontext="$curcontext" _${name}_root
  typeset -A opt_args
  _arguments -C -S ${shown(table.flags).flatMap(zshFlag).join(' ')} '1:command:->command' '*::operand:->operand'
  _${name}_root=\${opt_args[--root]}
  case $state in
    command)
      local -a commands=(${commands.map(each => `'${each.name}:${zshText(each.about)}'`).join(' ')})
      _describe command commands
      return
      ;;
    operand) ;;
    *) return ;;
  esac
  case $line[1] in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}

const fishText = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`

function fishFlag(flag: Flag): string {
  const parts = [`-l ${flag.name}`]
  if (flag.short !== undefined) parts.push(`-s ${flag.short}`)
  if (flag.value !== undefined) parts.push('-r')
  if (flag.choices !== undefined) parts.push(`-fa ${fishText(flag.choices.join(' '))}`)
  else if (flag.path !== undefined) parts.push('-F')
  else if (flag.value !== undefined) parts.push('-f')
  return `${parts.join(' ')} -d ${fishText(flag.about)}`
}

function fish(table: CommandTable): string {
  const { name } = table
  const valued = table.flags.filter(({ value }) => value !== undefined).flatMap(words)
  const commands = shown(table.commands)
  const line = (rest: string): string => `complete -c ${name} ${rest}`
  return [
    `# fish completion of ${name}: ${name} completion fish | source`,
    `function __${name}_command`,
    '  set -l skip 0',
    '  for word in (commandline -opc)[2..-1]',
    '    if test $skip = 1',
    '      set skip 0',
    `    else if contains -- $word ${valued.join(' ')}`,
    '      set skip 1',
    "    else if not string match -q -- '-*' $word",
    '      echo $word',
    '      return',
    '    end',
    '  end',
    'end',
    `function __${name}_ids`,
    '  set -l words (commandline -opc)',
    '  set -l at (contains -i -- --root $words)',
    `  and ${name} --root $words[(math $at + 1)] list --quiet 2>/dev/null`,
    `  or ${name} list --quiet 2>/dev/null`,
    'end',
    line('-f'),
    ...shown(table.flags).map(flag => line(`-n 'test -z (__${name}_command)' ${fishFlag(flag)}`)),
    ...commands.map(each => line(`-n 'test -z (__${name}_command)' -a ${each.name} -d ${fishText(each.about)}`)),
    ...commands.flatMap(command => {
      const here = `-n 'contains ${command.name} (__${name}_command)'`
      const operands = command.onContainer ? `(__${name}_ids)` : choices(command).join(' ')
      return [
        ...shown(flagsOf(table, command)).map(flag => line(`${here} ${fishFlag(flag)}`)),
        ...(operands === '' ? [] : [line(`${here} -a '${operands}'`)]),
      ]
    }),
    '',
  ].join('\n')
}
