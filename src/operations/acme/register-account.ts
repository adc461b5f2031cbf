import type { AcmeAccount } from '../../domain/certificate-order.ts'
import type { Control } from '../../domain/control.ts'
import type { Context } from '../context.ts'
import { acmeCalls } from './order-flow.ts'

/**
 * Makes the rack's account at an authority, and asks that one from then on. Safe to repeat: an account is known by its key.
 * @returns the terms of the authority, if it has some
 * @throws AcmeProblem
 */
export async function registerAccount(
  { orders }: Context,
  account: AcmeAccount,
  control: Control,
): Promise<string | null> {
  const { callAcme } = await acmeCalls()
  return await callAcme({ ...account, account: null }, control, async (client) => {
    const contact = account.email === null ? [] : [`mailto:${account.email}`]
    await client.createAccount({ termsOfServiceAgreed: true, contact })
    await orders.ask({ ...account, url: client.getAccountUrl() })
    return (await client.getTermsOfServiceUrl()) || null
  })
}
