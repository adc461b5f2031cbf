/** The name of a process type that is reached from outside; each one has it. */
export function ownHost(app: string, type: string, domain: string): string {
  return `${type}.${app}.${domain}`
}
