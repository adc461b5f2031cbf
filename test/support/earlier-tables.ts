/** Makes the table of tokens as it was before they had roles. */
export const tokensBeforeRoles = [
  `alter table tokens drop column last_used`,
  `alter table tokens drop column expires`,
  `alter table tokens drop column apps`,
  `alter table tokens rename column role to permission`,
]

/** Takes the chain of the audit back, and from where somebody asked. */
export const auditBeforeChain = [
  `drop table audit_head`,
  ...['source', 'request', 'begin_mac', 'end_mac', 'begin_no', 'end_no'].map(
    (column) => `alter table audit drop column ${column}`,
  ),
]

/** Takes away what is being had of authorities. */
export const acmeBeforeOrders = [`drop table acme_orders`, `drop table acme_accounts`]

/** Takes away how often processes have ended. */
export const processesBeforeEnds = [`drop table process_ends`]
