import type { Across } from './across.ts'
import type { ProcessType } from '../../domain/manifest.ts'

/** A process has an address that the rack gave: says so, and whether another one is told to look where it is not. */
export function checkFixedAddresses({ processes, problems }: Across): void {
  const words = processes.map(({ type }) => ({ name: type.name, text: wordsOf(type).join(' ') }))
  for (const { type, addresses } of processes) {
    for (const { value, at } of addresses) {
      const seeker = words.find(({ text }) => mentions(text, value))
      const message = `${value} is not the address that "${type.name}" has: addresses are given by the rack`
      const hint = `write "${type.name}" where the address is used`
      if (seeker) problems.error(at, `${message}, and "${seeker.name}" is told to use it`, hint)
      else problems.warn(at, message, `reach it by its name: "${type.name}"`)
    }
  }
}

/** Where a process can be told of an address. */
function wordsOf({ environment, command, entrypoint, extraHosts, container }: ProcessType): string[] {
  return [
    ...environment.map(({ value }) => value ?? ''),
    ...(command ?? []),
    ...(entrypoint ?? []),
    ...extraHosts.map(({ address }) => address),
    ...container.dns.servers,
  ]
}

/** `10.0.0.1` is not in `10.0.0.12`. */
function mentions(text: string, address: string): boolean {
  const at = text.indexOf(address)
  if (at < 0) return false
  const isWhole =
    !/[0-9a-fA-F.:]/.test(text[at - 1] ?? ' ') && !/[0-9a-fA-F.]/.test(text[at + address.length] ?? ' ')
  return isWhole || mentions(text.slice(at + 1), address)
}
