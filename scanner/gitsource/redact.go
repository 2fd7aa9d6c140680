package gitsource

// Redact returns operand without the user and password that a URL may hold: what
// reports and messages call it.
func Redact(operand string) string { return userinfo.ReplaceAllString(operand, "${1}") }
