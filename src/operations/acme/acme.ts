import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { certificateFor, type Certificate } from '../../domain/certificate.ts'
import type { AcmeChange, AcmeInfo } from '../../domain/acme-info.ts'
import { isOrderable, quietTime, type AcmeAccount, type KeptOrder } from '../../domain/certificate-order.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { AcmeProblem } from '../../lib/acme/acme-problem.ts'
import { DeadlineError } from '../../lib/deadline.ts'
import { until } from '../../lib/poll.ts'
import { withoutKey } from '../certificates/certificates.ts'
import type { Context } from '../context.ts'
import { refuseCertificates } from '../refuse-certificates.ts'
import { orderAt } from './carry-out-order.ts'
import { wantedNames } from './keep-certified.ts'
import { tellFailure } from './order-failure.ts'
import { registerAccount } from './register-account.ts'

const known: Record<string, string> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
}
const renewalMs = 150_000

export async function getAcme({ orders }: Context): Promise<AcmeInfo> {
  const account = orders.account()
  return {
    directory: account?.directory ?? null,
    email: account?.email ?? null,
    hasCa: account?.ca != null,
    terms: null,
    orders: (account === null ? [] : orders.orders()).map(({ name, failures, next, failed }) => ({
      name,
      status: failed ? 'failed' : 'open',
      failures,
      next,
      failed,
    })),
  }
}

/**
 * Asks an authority from now on, once it has given the rack an account; or none. Who asks agrees with its terms.
 * @throws invalid; conflict where no https is served; unsupported where none is shown; certificate-failed when the authority does not take it, and then all
 * is as it was
 */
export async function changeAcme(context: Context, change: AcmeChange, control: Control): Promise<AcmeInfo> {
  const { orders, store } = context
  if (change.directory === null) {
    await orders.askNone()
    await context.host.updateRouter(control)
    return await getAcme(context)
  }
  refuseCertificates(context)
  checkServesTls(context.host)
  const now = orders.account()
  const directory = readDirectory(change.directory ?? now?.directory)
  const before = now?.directory === directory ? now : await store.acme.account(directory)
  const email = readEmail(change.email === undefined ? (before?.email ?? null) : change.email)
  const ca = readCa(change.ca === undefined ? (before?.ca ?? null) : change.ca)
  const account: AcmeAccount = { directory, email, ca, url: null, key: before?.key ?? accountKey() }
  try {
    const terms = await registerAccount(context, account, control)
    return { ...(await getAcme(context)), terms }
  } catch (error) {
    if (!(error instanceof AcmeProblem)) throw error
    const { reason, hint } = tellFailure(error, 'NAME')
    throw new RackError('certificate-failed', `${directory} gives the rack no account: ${reason}`, {
      hint: hint.replace(/(Then|at once): rack certs renew 'NAME'/, 'Then the same again'),
      cause: error,
    })
  }
}

/**
 * Has another certificate of the authority for a host, although the one that it has still holds, and waits for it.
 * @param asked the host, or the id of its certificate
 * @throws not-found; conflict where the rack does not renew it, or the authority wants to be left alone; certificate-failed;
 * timeout, and then it goes on
 */
export async function renewCertificate(
  context: Context,
  asked: string,
  control: Control,
): Promise<Certificate> {
  const { orders } = context
  const account = orders.account()
  if (account === null)
    throw new RackError('conflict', 'the rack asks no authority for certificates', {
      hint: 'Choose one: rack certs acme --directory letsencrypt; or bring one: rack certs add CERTIFICATE.pem KEY.pem',
    })
  const name = await renewableName(context, asked, account)
  const now = context.now()
  const order = orderAt(context, name, account)
  checkQuiet(context, order, now)
  const begun = now.toISOString()
  if (orders.order(name)?.directory === order.directory) await orders.change(name, { next: begun })
  else await orders.begin({ ...order, next: begun })
  const ended = () => {
    const now = orders.order(name)
    return now === null ? { failed: null } : now.failed && now.failed.time >= begun && { failed: now.failed }
  }
  const { failed } = await waitFor(name, ended, control)
  const shown = certificateFor(name, context.certificates.kept(), context.now())
  if (failed === null && shown) return withoutKey(shown)
  const keeps = shown ? `; what is shown holds until ${shown.until}` : ''
  throw new RackError('certificate-failed', `${failed?.reason ?? `${name} is asked for no more`}${keeps}`, {
    hint: failed?.hint ?? 'rack domains',
  })
}

/** The authority may want to be left alone by one order, or by all. @throws conflict */
function checkQuiet({ orders }: Context, order: KeptOrder, now: Date): void {
  const times = [quietTime(order, now), orders.quietUntil(now)].filter((time) => time !== null)
  if (times.length === 0) return
  const until = new Date(Math.max(...times.map((time) => time.getTime())))
  throw new RackError('conflict', `the authority wants to be left alone until ${until.toISOString()}`, {
    hint: 'The rack tries again then, by itself.',
  })
}

async function waitFor<T>(name: string, ended: () => T | null | false, { signal }: Control): Promise<T> {
  try {
    return await until<T>(ended, { deadlineMs: renewalMs, intervalMs: 100, what: 'the authority', signal })
  } catch (cause) {
    if (!(cause instanceof DeadlineError)) throw cause
    throw new RackError('timeout', `the authority has not decided on ${name} yet`, {
      hint: 'It goes on by itself. See: rack certs acme',
      cause,
    })
  }
}

async function renewableName(context: Context, asked: string, account: AcmeAccount): Promise<string> {
  const { certificates, host } = context
  const kept = certificates.kept()
  const found = kept.find(({ id }) => id === asked.toUpperCase())
  const name = found?.names[0] ?? asked.toLowerCase()
  const shown = certificateFor(name, kept, context.now())
  if (shown && shown.authority === null)
    throw new RackError('conflict', `${name} is shown a certificate that was brought, ${shown.id}`, {
      hint: 'Bring the next one: rack certs add CERTIFICATE.pem KEY.pem',
    })
  checkServesTls(host)
  if ((await wantedNames(context, account)).has(name)) return name
  if (!isOrderable(name, account))
    throw new RackError('invalid', `no public authority signs for ${name}`, {
      hint: "The rack's own does: rack certs ca",
    })
  throw new RackError('not-found', `${name} is no domain of an app`, {
    hint: `rack domains add ${name} --app APP`,
  })
}

/** @throws conflict */
function checkServesTls({ servesTls }: Context['host']): void {
  if (servesTls) return
  throw new RackError('conflict', 'the rack serves no https', {
    hint: 'rack stop --keep-router; rack start --https-port 443',
  })
}

function readDirectory(text: string | undefined): string {
  if (text === undefined)
    throw new RackError('invalid', 'no authority is named', {
      hint: 'rack certs acme --directory letsencrypt',
    })
  const url = known[text] ?? text
  if (URL.canParse(url) && new URL(url).protocol === 'https:' && url.length <= 500) return url
  throw new RackError('invalid', `"${text}" is no directory of an authority`, {
    hint: `It is ${Object.keys(known).join(', ')}, or a URL with https://`,
  })
}

function readEmail(email: string | null): string | null {
  if (email === null || /^[^\s@,;<>"]+@[^\s@,;<>"]+\.[^\s@,;<>"]+$/.test(email)) return email
  throw new RackError('invalid', `"${email}" is no email address`, {
    hint: 'rack certs acme --email ADDRESS',
  })
}

function readCa(pem: string | null): string | null {
  if (pem === null) return null
  try {
    // Anything else may be in the file too, behind it.
    void new X509Certificate(pem)
    return pem
  } catch (cause) {
    throw new RackError('invalid', 'there is no certificate in the file of the authority', {
      hint: 'It is a PEM file: -----BEGIN CERTIFICATE-----',
      cause,
    })
  }
}

function accountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
