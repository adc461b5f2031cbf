import type { ContainerOptions } from '../../../domain/container.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shown, type Node } from '../../syntax/tree.ts'
import { booleanOf, itemsOf, textOf } from '../values/values.ts'
import { devicesOf } from './devices.ts'
import { limitsOf } from './limits.ts'
import { hostNamespacesOf } from './namespaces.ts'
import { privilegesOf, type Asking } from './privileges.ts'

/** What surrounds the process in its container. */
export function containerOptionsOf(service: Node, asking: Asking): ContainerOptions {
  const { problems } = asking
  const { securityOptions, ...privileges } = privilegesOf(service, asking)
  return {
    hostname: ownNameOf(childOf(service, 'hostname'), 63, problems),
    domainname: ownNameOf(childOf(service, 'domainname'), 253, problems),
    groups: groupsOf(childOf(service, 'group_add'), problems),
    ...privileges,
    ...devicesOf(service, asking),
    hostNamespaces: hostNamespacesOf(service, asking),
    readOnly: booleanOf(childOf(service, 'read_only'), problems) ?? false,
    securityOptions,
    ...limitsOf(service, asking),
    dns: dnsOf(service, problems),
    tty: booleanOf(childOf(service, 'tty'), problems) ?? false,
    stdinOpen: booleanOf(childOf(service, 'stdin_open'), problems) ?? false,
  }
}

const ownName = /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/

/** The kernel takes no longer name. */
function ownNameOf(node: Node | undefined, longest: number, problems: Problems): string | null {
  const text = textOf(node, problems)
  if (node === undefined || text === null || text === '') return null
  if (text.length <= longest && ownName.test(text)) return text
  problems.error(
    node,
    `${shown(node)} is not a host name`,
    `use up to ${longest} letters, digits, dashes and dots`,
  )
  return null
}

function groupsOf(node: Node | undefined, problems: Problems): string[] {
  const groups = itemsOf(node, problems).flatMap((item) => {
    const text = textOf(item, problems)
    if (text !== null && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?$/.test(text)) return [text]
    problems.error(item, `${shown(item)} is not a group`, 'write its name or number')
    return []
  })
  return [...new Set(groups)]
}

function dnsOf(service: Node, problems: Problems): ContainerOptions['dns'] {
  const words = (key: string, isValid: (text: string) => boolean, wrong: string, hint: string) =>
    itemsOf(childOf(service, key), problems, true).flatMap((item) => {
      const text = textOf(item, problems)
      if (text !== null && isValid(text)) return [text]
      problems.error(item, `${shown(item)} is not ${wrong}`, hint)
      return []
    })
  return {
    servers: words('dns', isAddress, 'the address of a name server', 'write "10.0.0.53"'),
    search: words('dns_search', isDomain, 'a domain', 'write "example.com"'),
    options: words('dns_opt', isOption, 'an option of the resolver', 'write "ndots:2"'),
  }
}

function isAddress(text: string): boolean {
  const parts = text.split('.')
  const isFour = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
  return isFour || (text.length <= 45 && text.includes(':') && /^[0-9a-fA-F:]+(\.\d{1,3}){0,3}$/.test(text))
}

function isDomain(text: string): boolean {
  return text === '.' || (text.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9.])?$/.test(text))
}

function isOption(text: string): boolean {
  return /^[a-z0-9-]{1,40}(:\d{1,5})?$/.test(text)
}
