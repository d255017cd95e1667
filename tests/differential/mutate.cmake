# Copies IN to OUT with FROM replaced by TO. FROM must stand there exactly once: a canary whose rule has moved is an error.
file(READ "${IN}" text)
string(FIND "${text}" "${FROM}" first)
string(FIND "${text}" "${FROM}" last REVERSE)
if(first EQUAL -1 OR NOT first EQUAL last)
  message(FATAL_ERROR "${IN}: the text of the canary, '${FROM}', must stand there exactly once; write the canary anew")
endif()
string(REPLACE "${FROM}" "${TO}" text "${text}")
file(WRITE "${OUT}" "${text}")
