-- All that is known of a mail: put its reference or its message id in place of REFERENCE.
SELECT *
FROM journal
WHERE (reference = 'REFERENCE' OR message_id = 'REFERENCE'
    OR contains(job_references, 'REFERENCE'))
  AND day >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
ORDER BY logged_at
