-- Which of our bounces bounced themselves, and what the other side said.
SELECT DISTINCT sent.logged_at, concat('<', sent.sender, '>') AS sender,
  array_join(sent.rules, ', ') AS rules, sent.reference, sent.bounce_id,
  event.bounce.bouncetype AS type, event.bounce.bouncesubtype AS subtype,
  concat('said: ', element_at(event.bounce.bouncedrecipients, 1).diagnosticcode) AS diagnostic
FROM journal AS sent
INNER JOIN events AS event ON event.mail.messageid = sent.bounce_id
WHERE sent.event = 'sent' AND event.eventtype = 'Bounce'
  AND sent.day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
  AND event.day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
ORDER BY sent.logged_at DESC
