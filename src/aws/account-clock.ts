import { RackError } from '../domain/error.ts'

/**
 * How many times faster than AWS's the clock of the account is: 1, unless `RACK_AWS_CLOCK` says otherwise of an account
 * that is none of AWS's, such as the one of `npm run fake-aws`.
 * @throws usage for one of AWS itself, whose calls are counted
 */
export function accountClock(environment: Record<string, string | undefined>): number {
  const { RACK_AWS_CLOCK: text, AWS_ENDPOINT_URL: endpoint } = environment
  if (text === undefined || text === '') return 1
  const factor = Number(text)
  if (!(factor >= 1 && factor <= 1000))
    throw new RackError('usage', `RACK_AWS_CLOCK is a number from 1 to 1000, and no "${text}"`)
  if (factor === 1 || endpoint) return factor
  throw new RackError('usage', 'RACK_AWS_CLOCK is for an account at AWS_ENDPOINT_URL, and there is none', {
    hint: "AWS's own clock is no faster: unset RACK_AWS_CLOCK",
  })
}
