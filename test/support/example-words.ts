/** The words of a command as a page or a help shows it, without `rack` and without what a shell does with the rest. */
export function wordsOf(line: string): string[] {
  const command = line.replace(/^.*\brack /, '').replace(/\s[<>|].*$/, '')
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare!,
  )
}
