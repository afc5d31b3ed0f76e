-- Which of our bounces bounced themselves, and what the other side said.
SELECT DISTINCT sent.logged_at, sent.sender, array_join(sent.rules, ', ') AS rules, sent.reference,
  sent.bounce_id, told.bounce.bouncetype AS type, told.bounce.bouncesubtype AS subtype,
  element_at(told.bounce.bouncedrecipients, 1).diagnosticcode AS diagnostic
FROM journal AS sent
INNER JOIN events AS told ON told.mail.messageid = sent.bounce_id
WHERE sent.event = 'sent' AND told.eventtype = 'Bounce'
  AND sent.day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
  AND told.day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
ORDER BY sent.logged_at DESC
