import { RackError } from '../domain/error.ts'

/** Whether it is `yes`, of `yes` and `no`. @throws usage */
export function readYes(text: string | undefined, flag: string): boolean | undefined {
  if (text === undefined || text === 'yes' || text === 'no')
    return text === undefined ? undefined : text === 'yes'
  throw new RackError('usage', `${flag}: "${text}" is neither yes nor no`)
}
