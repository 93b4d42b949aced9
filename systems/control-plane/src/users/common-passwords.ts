/**
 * Passwords of at least eight characters that every guesser tries first, in lower case. A small
 * list by hand: it stops the worst, and the throttle on signing in does the rest.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc 11223344 12341234 123123123 1234567890 123456789a
  1234qwer 123qwe123 12345qwert 147258369 159357456 987654321 a1b2c3d4 a12345678 abc12345
  abcd1234 access14 admin123 admin1234 admin12345 administrator adminadmin asdf1234 asdfasdf
  asdfghjkl1 august2024 autumn2024 azerty123 babygirl baseball basketball batman123 blink182
  butterfly changeme changeme1 changeme123 charlie1 chocolate computer corvette danielle
  default1 default123 dragon123 elizabeth einstein football football1 freedom1 garfield
  greenday guest123 hello123 hello1234 helloworld iloveyou iloveyou1 internet jennifer jordan23
  letmein1 letmein123 liverpool login123 lovelove manchester maverick mercedes michael1 michelle
  midnight monkey123 mustang1 mypassword newpassword nicholas p@ssw0rd p@ssword p@ssword1
  pa55word pass1234 passpass passw0rd passw0rd! password password! password0 password01
  password1 password1! password11 password12 password123 password1234 password123! password2
  password2024 password2025 password2026 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsx123
  qazwsxedc qwer1234 qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyuiop1 root1234 samantha
  secret12 secret123 security spring2024 starwars steelers summer2024 summer2025 sunshine
  sunshine1 superman superman1 superuser temp1234 test1234 testtest test12345 trustno1 usuario1
  victoria welcome1 welcome123 welcome1! whatever william1 winter2024 winter2025 zaq12wsx
  zaq1zaq1 zxcvbnm1 zxcvbnm123
  `
    .trim()
    .split(/\s+/),
);
