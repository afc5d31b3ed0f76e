-- Of each rule's bounces, how many bounced themselves: a rule that answers forged senders.
WITH bounced AS (
  SELECT DISTINCT mail.messageid AS bounce_id
  FROM events
  WHERE eventtype = 'Bounce' AND day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
)
SELECT named.rule, count(DISTINCT sent.bounce_id) AS bounces,
  count(DISTINCT bounced.bounce_id) AS bounced_themselves,
  100.0 * count(DISTINCT bounced.bounce_id) / count(DISTINCT sent.bounce_id) AS percent
FROM journal AS sent
CROSS JOIN UNNEST(sent.rules) AS named (rule)
LEFT JOIN bounced ON bounced.bounce_id = sent.bounce_id
WHERE sent.event = 'sent' AND sent.day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY named.rule
ORDER BY percent DESC
