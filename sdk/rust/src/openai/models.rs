//! The list of models.

use crate::json::{Number, Str};
use crate::object;

object! {
    /// OpenAI's list of models. [`Adapter::get_models`](crate::Adapter::get_models) returns the models; the SDK makes the list.
    pub struct ModelList<'a> {
        /// `list`.
        pub object: Str<'a>,
        /// The models.
        pub data: Vec<Model<'a>> [always],
    }

    /// A model.
    ///
    /// ```
    /// use witgate_sdk::openai::Model;
    /// let model = Model::new("large-2").name("Large 2").context_window(128_000).pricing(0.000_002, 0.000_008);
    /// ```
    pub struct Model<'a> {
        /// What a request names.
        pub id: Str<'a>,
        /// `model`.
        pub object: Option<Str<'a>>,
        /// Seconds since 1970.
        pub created: Option<u64>,
        /// Whose it is.
        pub owned_by: Option<Str<'a>>,
        /// What people call it.
        pub name: Option<Str<'a>>,
        /// The most tokens of prompt and answer together.
        pub context_window: Option<u64>,
        /// The most tokens of an answer.
        pub max_output_tokens: Option<u64>,
        /// What tokens cost.
        pub pricing: Option<Pricing<'a>>,
    }

    /// Prices in US dollars for one token.
    pub struct Pricing<'a> {
        /// A token of the prompt.
        pub input: Number<'a>,
        /// A token of the answer.
        pub output: Number<'a>,
    }
}

impl<'a> Model<'a> {
    /// The model of this id.
    #[must_use]
    pub fn new(id: impl Into<Str<'a>>) -> Self {
        Self {
            id: id.into(),
            object: Some("model".into()),
            ..Self::default()
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(mut self, name: impl Into<Str<'a>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The most tokens of prompt and answer together.
    #[must_use]
    pub fn context_window(mut self, tokens: u64) -> Self {
        self.context_window = Some(tokens);
        self
    }

    /// What a token of the prompt and one of the answer cost, in US dollars.
    #[must_use]
    pub fn pricing(mut self, input: impl Into<Number<'a>>, output: impl Into<Number<'a>>) -> Self {
        self.pricing = Some(Pricing {
            input: input.into(),
            output: output.into(),
            ..Pricing::default()
        });
        self
    }

    /// The model with no tie to what it was parsed from.
    #[must_use]
    pub fn into_static(self) -> Model<'static> {
        Model {
            id: self.id.into_static(),
            object: self.object.map(Str::into_static),
            created: self.created,
            owned_by: self.owned_by.map(Str::into_static),
            name: self.name.map(Str::into_static),
            context_window: self.context_window,
            max_output_tokens: self.max_output_tokens,
            pricing: self.pricing.map(|price| Pricing {
                input: price.input.into_static(),
                output: price.output.into_static(),
                rest: price.rest.into_static(),
            }),
            rest: self.rest.into_static(),
        }
    }
}
