//! 한국어. Korean.

use super::Text;

pub(super) const fn text(text: Text) -> &'static str {
    match text {
        Text::NotVerified => {
            "검증하지 않았습니다. 토큰이 스스로 하는 말일 뿐이며, 이런 토큰은 누구나 만들 수 있습니다."
        }
        Text::HowToVerify => "검증하려면: counterfoil token verify --key 파일 토큰",
        Text::Header => "헤더",
        Text::Claims => "클레임",
        Text::Payload => "페이로드: {bytes}바이트",
        Text::Signature => "서명: {bytes}바이트, 확인하지 않음",
        Text::Mind => "주의",
        Text::Nothing => "(없음)",
        Text::PasteHere => "토큰을 붙여 넣고 Enter를 누르세요:",
        Text::RefreshToken => {
            "이것은 JWT가 아니라 Counterfoil 리프레시 토큰입니다. 안에 읽을 내용은 없습니다. 서버만 알아볼 수 있으며, \
             POST /v1/sessions/current/refresh에서 새 토큰으로 바꿔 줍니다. 비밀번호처럼 비밀로 지켜야 합니다. 다른 사람이 \
             보았다면 세션을 끝내세요(counterfoil session end)."
        }
        Text::OpaqueSecret => {
            "이것은 JWT가 아니라 Counterfoil 개인 토큰이나 세션 id입니다. 무작위 값이라 안에 읽을 내용은 없으며, 이 값이 무엇을 \
             가리키는지는 서버만 찾을 수 있습니다. 비밀번호처럼 비밀로 지켜야 합니다. 다른 사람이 보았다면 끝내세요(DELETE \
             /v1/personal-tokens/ID, 또는 counterfoil session end)."
        }

        Text::AlgSecret => "공유 비밀로 서명",
        Text::AlgPrivateKey => "개인 키로 서명",
        Text::AlgUnknown => "이 프로그램이 모르는 서명 알고리즘",
        Text::TypAccessToken => "토큰 종류: 액세스 토큰(RFC 9068)",
        Text::Typ => "토큰 종류",
        Text::Kid => "서명한 키의 id; 그 자체로는 아무것도 증명하지 않음",
        Text::Cty => "페이로드 종류",
        Text::Crit => "반드시 이해해야 하는 확장",
        Text::OfferedKey => "토큰이 스스로 내미는 키; 절대 쓰면 안 됨",
        Text::Fingerprint => "인증서의 지문; 그 자체로는 아무것도 증명하지 않음",
        Text::Enc => "내용을 암호화한 방식",
        Text::B64 => "페이로드가 base64url인지 여부; JWT에서는 항상 base64url",

        Text::Iss => "서명한 곳(발행자)",
        Text::Sub => "누구에 대한 토큰인지(주체)",
        Text::Aud => "누가 받을 토큰인지(대상)",
        Text::Exp => "{date}에 만료, {distance}",
        Text::Expired => "{date}에 만료됨, {distance}",
        Text::Nbf => "{date}부터 유효, {distance}",
        Text::Iat => "{date}에 서명, {distance}",
        Text::Jti => "이 토큰의 고유 id",
        Text::NotADate => "날짜(1970년부터 센 초)여야 하는데 아님",
        Text::AfterYear9999 => "9999년 이후",

        Text::AuthTime => "{date}에 로그인, {distance}",
        Text::ClientId => "토큰을 발급받은 애플리케이션",
        Text::Scope => "이 토큰으로 할 수 있는 일",
        Text::Sid => "이 토큰이 속한 세션",
        Text::Gen => "계정의 세대; 모든 기기에서 로그아웃하면 올라감",
        Text::Cnf => "특정 키에 묶인 토큰(RFC 7800)",
        Text::Amr => "로그인한 방법",
        Text::Acr => "로그인의 신뢰 수준",
        Text::Nonce => "로그인 요청 하나에 묶는 값",
        Text::HashOfAnother => "다른 토큰이나 코드에 묶는 값",
        Text::Policy => "세션을 지니고 이어 가는 방식",
        Text::Roles => "토큰 주인의 역할; 판단은 애플리케이션의 몫",
        Text::Act => "주체를 대신해 행동하는 쪽(RFC 8693)",
        Text::UpdatedAt => "{date}에 바뀜, {distance}",
        Text::Verified => "발행자가 확인했는지 여부",
        Text::Person => "사람에 대한 정보; 누구에게도 숨겨지지 않음",

        Text::WarnAlgMissing => "alg가 없습니다. 어떤 검증자도 받아들일 수 없습니다",
        Text::WarnAlgNone => "alg가 none입니다. 서명되지 않은 토큰이며, 어떤 검증자도 받아들여서는 안 됩니다",
        Text::WarnSignatureEmpty => "서명이 비어 있습니다",
        Text::WarnOfferedKey => "{name} 항목이 키를 내밉니다. 검증자는 자기 키만 써야 합니다(RFC 8725 §3.10)",
        Text::WarnCrit => "crit에 확장이 있습니다. 그 확장을 모르는 검증자는 거부해야 합니다",
        Text::WarnKid => {
            "kid가 경로나 주소, 명령처럼 보입니다. 검증자는 자기 키의 id와 비교하는 데에만 써야 합니다(RFC 8725 §3.10)"
        }
        Text::WarnNoClaims => "설명할 클레임이 없습니다: {reason}",
        Text::WarnNoExp => "exp가 없습니다. 이 토큰은 저절로 만료되지 않습니다",
        Text::WarnExpNotADate => "exp가 날짜가 아닙니다. 어떤 검증자도 받아들일 수 없습니다",
        Text::WarnExpired => "이미 만료된 토큰입니다",
        Text::WarnNotYetValid => "아직 유효하지 않은 토큰입니다",
        Text::WarnIssuedInFuture => "iat가 미래입니다. 이 컴퓨터나 서명한 곳의 시계가 틀립니다",
        Text::WarnNoAud => "aud가 없습니다. 누가 받을 토큰인지 알 수 없습니다",
        Text::WarnLongLife => "수명이 {span}입니다. 토큰을 베낀 사람도 그동안 쓸 수 있습니다",
        Text::WarnPersonal => "토큰을 본 사람은 누구나 이 개인정보를 읽을 수 있습니다: {names}",
        Text::WarnSecret => "비밀 값처럼 보이는데, 페이로드는 아무것도 숨겨 주지 않습니다: {names}",

        Text::LooksLikeEmail => "이메일 주소처럼 보임",
        Text::LooksLikeCard => "카드 번호처럼 보임",
        Text::LooksLikeResidentNumber => "주민등록번호처럼 보임",
        Text::LooksLikePhone => "전화번호처럼 보임",
    }
}
