package keyformat

import "testing"

// Vectors of public origin, assembled here: canaries and documentation.
func TestAccount(t *testing.T) {
	for _, tt := range []struct{ prefix, body, account, grade string }{
		{"ASIA", "Y34FZKBOKMUTVV7A", "609629065308", Strong},
		{"ASIA", "QNZGKIQY56JQ7WML", "029608264753", Strong},
		{"AKIA", "SP2TPHJSQH3FJRUX", "171436882533", Strong},
		{"AKIA", "QYLPMN5HHHFPZAM2", "052310077262", Strong},
		{"AIDA", "YVP4CIPPJ5M54LRCY", "595918472158", Strong},
		{"AKIA", "IOSFODNN7" + "EXAMPLE", "", Legacy},
		{"AKIA", "JSIE27KKMHXI3BJQ", "", Legacy},
		{"AKIA", "7777777777777777", "", Impossible},
		{"AKIA", "0123456789ABCDEF", "", Impossible},
		{"ASIA", "QAAAAAAAGMKEM7X5", "", Impossible}, // LocalStack's account zero
	} {
		id := tt.prefix + tt.body
		if account, ok := Account(id); account != tt.account || ok != (tt.account != "") {
			t.Errorf("Account(%s) = %q, %v, want %q", id, account, ok, tt.account)
		}
		if grade := Grade(id); grade != tt.grade {
			t.Errorf("Grade(%s) = %s, want %s", id, grade, tt.grade)
		}
	}
}
