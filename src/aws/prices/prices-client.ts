import { Pricing } from '@aws-sdk/client-pricing'

/**
 * A client of the price list. Few Regions answer questions about prices, for all of them; whoever asks has something else
 * to do, so it gives up soon.
 * @see https://docs.aws.amazon.com/general/latest/gr/billing.html
 */
export const createPricesClient = (given: ConstructorParameters<typeof Pricing>[0]): Pricing =>
  new Pricing({ ...given, region: 'us-east-1', maxAttempts: 4 })
