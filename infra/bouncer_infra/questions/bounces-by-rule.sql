-- How many bounces each rule caused, day by day, and to how many senders.
SELECT day, named.rule, count(DISTINCT bounce_id) AS bounces, count(DISTINCT sender) AS senders
FROM journal
CROSS JOIN UNNEST(rules) AS named (rule)
WHERE event = 'sent' AND day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY day, named.rule
ORDER BY day DESC, bounces DESC
