-- Who was bounced by which rule, in the last 30 days.
SELECT min(logged_at) AS logged_at, concat('<', sender, '>') AS sender,
  concat('<', array_join(recipients, '>, <'), '>') AS recipients,
  array_join(rules, ', ') AS rules, reference, bounce_id
FROM journal
WHERE event = 'sent' AND day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY sender, recipients, rules, reference, bounce_id
ORDER BY logged_at DESC
LIMIT 10000
