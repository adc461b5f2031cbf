import { AwsError } from './fake-service.ts'

/** AWS takes it, this fake has no such behaviour: a test that sees it asks for more than is shown here. */
export class NotModelled extends AwsError {
  constructor(what: string) {
    super('NotModelledException', `${what} is not in this fake account`, 501)
  }
}

/** @throws NotModelled for a member that AWS knows and this fake does not: nothing is silently ignored */
export function assertModelled(input: object, known: readonly string[], where: string): void {
  for (const [name, value] of Object.entries(input)) {
    if (value !== undefined && !known.includes(name)) throw new NotModelled(`${where}.${name}`)
  }
}
