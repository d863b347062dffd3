//! What a model takes, read from its id: "anthropic.claude-3-haiku-20240307-v1:0", with a region's or a profile's prefix
//! ("us.amazon.nova-lite-v1:0"), or as the end of an ARN. Of an application's own profile the id tells nothing.

pub(crate) use witgate_anthropic::Claude;

/// Who makes a model, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Claude(Claude),
    Nova,
    Titan,
    Llama,
    Mistral,
    Cohere,
    /// takes OpenAI's own form when invoked; most newer ones do
    OpenAi,
    Other,
}

/// A model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Model<'a> {
    pub(crate) id: &'a str,
    pub(crate) family: Family,
}

impl<'a> Model<'a> {
    /// Reads a model's id.
    pub(crate) fn named(id: &'a str) -> Self {
        let makers = [
            ("amazon.nova", Family::Nova),
            ("amazon.titan", Family::Titan),
            ("meta.llama", Family::Llama),
            ("mistral.", Family::Mistral),
            ("cohere.", Family::Cohere),
            ("openai.", Family::OpenAi),
            ("qwen.", Family::OpenAi),
            ("deepseek.v", Family::OpenAi),
            ("moonshot", Family::OpenAi),
            ("minimax.", Family::OpenAi),
            ("google.", Family::OpenAi),
            ("nvidia.", Family::OpenAi),
            ("zai.", Family::OpenAi),
        ];
        let family = if id.contains("claude") {
            Family::Claude(Claude::named(id))
        } else {
            let known = makers.into_iter().find(|(maker, _)| id.contains(maker));
            known.map_or(Family::Other, |(_, family)| family)
        };
        Self { id, family }
    }

    /// Claude's generation, if it is one.
    pub(crate) fn claude(self) -> Option<Claude> {
        match self.family {
            Family::Claude(claude) => Some(claude),
            _ => None,
        }
    }

    /// The id of Claude itself, without the profile that it is reached by: "us.", "global.", or an ARN before it.
    pub(crate) fn itself(self) -> &'a str {
        self.id.find("anthropic.").map_or(self.id, |at| &self.id[at..])
    }

    /// Its id does not tell whose it is, so it may be anybody's.
    pub(crate) fn is_unknown(self) -> bool {
        self.family == Family::Other && self.id.starts_with("arn:")
    }

    /// Takes cache points.
    pub(crate) fn caches(self) -> bool {
        matches!(self.family, Family::Claude(_) | Family::Nova)
    }

    /// Can be made to call a tool. What is unknown is asked for, and the API says what it does not take.
    pub(crate) fn can_be_forced(self) -> bool {
        matches!(
            self.family,
            Family::Claude(_) | Family::Nova | Family::Mistral | Family::Other
        )
    }

    /// Amazon's models that think when they are told to.
    pub(crate) fn is_thinking_nova(self) -> bool {
        self.family == Family::Nova && self.id.contains("nova-2")
    }
}
