-- What was withheld and why, by the intake's guard and the worker's gate, in the last 30 days.
-- Several lists side by side in one UNNEST mean the same in every version of the engine; a list of
-- rows does not.
WITH guarded AS (
  SELECT day, service, sender, decided.recipient, decided.rule, decided.reason
  FROM journal
  CROSS JOIN UNNEST(
    transform(decisions, decision -> decision.recipient),
    transform(decisions, decision -> decision.rule),
    transform(decisions, decision -> decision.withheld)
  ) AS decided (recipient, rule, reason)
  WHERE event = 'mail' AND day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
),
gated AS (
  SELECT DISTINCT day, service, sender, named.recipient, array_join(rules, ', ') AS rule, reason,
    reference
  FROM journal
  CROSS JOIN UNNEST(recipients) AS named (recipient)
  WHERE event = 'withheld' AND day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
)
SELECT day, service, reason, rule, count(*) AS recipients, count(DISTINCT sender) AS senders,
  concat('<', min(sender), '>') AS for_example
FROM (
  SELECT * FROM guarded
  UNION ALL
  SELECT day, service, sender, recipient, rule, reason FROM gated
) AS both_of_them
WHERE reason IS NOT NULL AND reason <> 'null' -- a reader of JSON may take null in a list for text
GROUP BY day, service, reason, rule
ORDER BY day DESC, recipients DESC
