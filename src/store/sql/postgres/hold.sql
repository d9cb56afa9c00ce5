-- The head of a ledger that this transaction has locked, with the entries behind it that a node does not know: what a node reads under
-- the lock keeps the others waiting, so it is one round trip.
select ledger_id, origin, slug, size, last_leaf, last_at, peaks, (
  select string_agg(
    convert_to(seq || ' ' || length(leaf) || ' ' || length(bytes) || ' ' || key_hash || ' ' || payload_hash || ' '
    || reference_hash || ' ' || order_hash || ' ' || person || ' ' || length(sealed) || ' ' || length(wrapped) || ' ', 'UTF8')
    || leaf || bytes || sealed || wrapped, '' order by seq)
  from (
    select page.seq, page.leaf, page.bytes, page.key_hash, page.payload_hash, page.reference_hash, page.order_hash,
      coalesce(vault.person, -1) as person, coalesce(vault.sealed, '') as sealed, coalesce(vault.wrapped, '') as wrapped
    from (
      select seq, leaf, bytes, key_hash, payload_hash, reference_hash, order_hash
      from entry
      where ledger_id = $1 and seq >= $2
      order by seq
      limit $3
    ) as page
    left join lateral (
      select person, sealed, wrapped
      from vault
      where vault.ledger_id = $1 and vault.seq = page.seq
      limit 1
    ) as vault on true
  ) as page
)
from ledger
where ledger_id = $1
